"""Seven-segment and dot-matrix displays, tubes, and the drums of meters."""

from collections.abc import Sequence

import cv2
import numpy as np

from training.detector import textures
from training.detector.canvas import Canvas, Colour, line
from training.detector.colours import any_colour, gray, ink_colour
from training.detector.effects import Effect, glow, no_effect, panel, shadow
from training.detector.numbers import Look, random_digit, random_digits, write_number
from training.detector.sources import Sources, dot_matrix, pen, seven_segments
from training.detector.text import edge_text, scatter_words, unit, write_text

LIGHTS = (
    (255, 40, 40),
    (60, 255, 60),
    (255, 160, 60),
    (60, 160, 255),
    (255, 255, 255),
    (240, 240, 90),
)
"""Colours of lit segments and backlights."""


def display(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """One to three lines of an LCD or LED display inside its case."""
    lit = rng.random() < 0.4
    ground, colour = _colours(rng, lit)
    surround = rng.random()
    if surround < 0.45:
        picture = textures.plain(rng, height, width, ground)
    else:
        shares = {"plain": 0.6, "photo": 0.4}
        picture = textures.ground(rng, sources, height, width, shares)
    canvas = Canvas(picture, rng)
    rows = int(rng.choice([1, 1, 1, 2, 3])) if height > 60 else 1
    count = int(rng.integers(1, 9))
    size = min(
        height / rows * rng.uniform(0.35, 0.85), width / (0.7 * count + 0.3) * rng.uniform(0.6, 1)
    )
    size = max(size, 9.0)
    x = max(0.0, width - count * 0.75 * size) * rng.uniform(0.1, 0.9)
    y = max(0.0, height - rows * 1.3 * size) * rng.uniform(0.1, 0.9)
    side, above = size * rng.uniform(0.15, 0.7), size * rng.uniform(0.08, 0.5)
    box = (x - side, y - above, x + count * 0.85 * size + side, y + rows * 1.25 * size + above)
    mask = panel(canvas, box, ground, int(rng.choice([0, 0, 2])))
    if rng.random() < 0.4:
        edge = cv2.morphologyEx(mask, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        canvas.blend(np.asarray(edge), 0, 0, any_colour(rng))
    style = seven_segments(rng) if rng.random() < 0.88 else dot_matrix(rng)
    effect: Effect = no_effect
    if lit and rng.random() < 0.6:
        effect = glow(rng, size, colour)
    elif not lit and rng.random() < 0.3:
        effect = shadow(rng, size)
    look = Look(
        style,
        colour,
        size,
        rng.uniform(0.5, 1),
        spacing=rng.uniform(0.08, 0.3),
        separator_share=0.15 if rng.random() < 0.5 else 0.0,
        effect=effect,
        unlit=rng.uniform(0.02, 0.3) if rng.random() < 0.5 else 0.0,
    )
    for _ in range(rows):
        fewer = int(rng.integers(0, min(3, count)))
        start = x + fewer * 0.7 * size
        end = write_number(canvas, look, random_digits(rng, count - fewer), start, y, "")
        if rng.random() < 0.35:
            small = size * rng.uniform(0.2, 0.6)
            write_text(
                canvas,
                unit(rng),
                end + 0.1 * size,
                y + size - small,
                small,
                colour,
                sources.typeface(rng),
            )
        y += 1.3 * size
    if rng.random() < 0.25:
        scatter_words(canvas, sources, 2, 0.5 * size, any_colour(rng))
    if rng.random() < 0.2:
        edge_text(canvas, sources, size, any_colour(rng))
    _reflection(canvas, 0.25)
    return canvas


def _colours(rng: np.random.Generator, lit: bool) -> tuple[Colour, Colour]:
    """Return the colours of the panel and of its segments."""
    light = np.clip(np.array(LIGHTS[rng.integers(len(LIGHTS))]) + rng.normal(0, 20, 3), 0, 255)
    if lit:
        return any_colour(rng, 0, 60), light
    if rng.random() < 0.3:  # a backlight, bright green or blue
        return light * rng.uniform(0.5, 1), any_colour(rng, 0, 80)
    ground = gray(rng, 90, 200) + np.array([-1, 1, -0.5]) * rng.uniform(-5, 25)
    pair = np.clip(ground, 0, 255), any_colour(rng, 0, 80)
    return (pair[1], pair[0]) if rng.random() < 0.15 else pair


def tubes(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """Glowing thin digits on a dark ground, as in nixie tubes and neon signs."""
    canvas = Canvas(textures.plain(rng, height, width, any_colour(rng, 0, 50)), rng)
    colour = np.clip(np.array([255, 130, 40]) + rng.normal(0, 40, 3), 0, 255)
    count = int(rng.integers(1, 7))
    size = min(height * rng.uniform(0.4, 0.9), width / (0.8 * count + 0.2) * rng.uniform(0.6, 1))
    style = pen(rng) if rng.random() < 0.4 else sources.typeface(rng)
    look = Look(style, colour, size, 1.0, rng.uniform(0.1, 0.5), effect=glow(rng, size, colour))
    x, y = rng.uniform(0, 0.2) * width, (height - size) * rng.uniform(0.1, 0.9)
    layer = canvas.layer()
    for k in range(int(rng.integers(0, 9))):  # the mesh before the digits
        line(layer, (k * size / 3, 0), (k * size / 3 + rng.uniform(-3, 3), height), 1)
    canvas.blend(layer, 0, 0, colour, rng.uniform(0, 0.3))
    write_number(canvas, look, random_digits(rng, count), x, y)
    return canvas


def drums(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """The drums of a meter: a window for each digit, some between two digits."""
    shares = {"plain": 0.7, "photo": 0.3}
    canvas = Canvas(textures.ground(rng, sources, height, width, shares), rng)
    count = int(rng.integers(3, 9))
    if width < 1.5 * height:
        count = int(rng.integers(1, 5))
    pitch = width * rng.uniform(0.75, 0.98) / count
    size = max(9.0, min(pitch * rng.uniform(0.8, 1.6), 0.75 * height))
    window = min(size * rng.uniform(1.1, 1.8), height - 2.0)
    left, top = (
        (width - pitch * count) * rng.uniform(0.2, 0.8),
        (height - window) * rng.uniform(0.2, 0.8),
    )
    dark = rng.random() < 0.5
    drum = any_colour(rng, 0, 70) if dark else any_colour(rng, 170, 255)
    if rng.random() < 0.6:
        reach = pitch * rng.uniform(0.05, 0.3)
        box = (left - reach, top - reach, left + pitch * count + reach, top + window + reach)
        # Dark gaps between light drums are as high as a one.
        around = gray(rng, 0, 60) if rng.random() < 0.7 else any_colour(rng)
        panel(canvas, box, around, 0)
    bars = not dark and rng.random() < 0.5
    red, gap = rng.random() < 0.5, 0.0 if bars else pitch * rng.uniform(0, 0.3)
    style, ink = sources.typeface(rng), ink_colour(rng, drum, 70)
    for index in range(count):
        x = left + index * pitch
        colour = np.array([190.0, 30, 30]) if red and index >= count - 1 - (count > 6) else drum
        box = (x + gap / 2, top, x + pitch - gap / 2, top + window)
        colour = np.clip(colour * rng.uniform(0.8, 1.2), 0, 255)
        panel(canvas, box, colour, 0)
        roll = rng.uniform(-0.12, 0.2) if rng.random() < 0.65 else rng.uniform(-0.3, 0.8)
        own = ink if rng.random() < 0.9 else ink_colour(rng, colour, 70)
        look = Look(style, own, size, cell=max(5.0, pitch - gap))
        _drum(canvas, look, box, roll)
    if bars:
        _bars(canvas, [left + index * pitch for index in range(count + 1)], top + window / 2, size)
    shade = np.abs((np.arange(height) - top - window / 2) / (window / 2)) ** 3
    factor = np.clip(1 - shade * rng.uniform(0, 0.8), 0.2, 1).astype(np.float32)
    rows = slice(max(0, int(top)), int(top + window))
    canvas.picture[rows] *= factor[rows, None, None]
    if rng.random() < 0.5:
        scatter_words(canvas, sources, 1, pitch, any_colour(rng))
    if rng.random() < 0.15:
        edge_text(canvas, sources, pitch, any_colour(rng))
    _reflection(canvas, 0.3)
    return canvas


def _drum(canvas: Canvas, look: Look, box: tuple[float, float, float, float], roll: float) -> None:
    """Draw the digit of a drum and its neighbours above and below, cut by the window."""
    rng, (left, top, right, bottom) = canvas.rng, box
    digit, size = random_digit(rng), look.height
    gap = size * rng.uniform(0.12, 0.5)
    middle = top + (bottom - top - size) / 2 - roll * size / 2
    for step in (0, 1, -1):
        shown = (digit + step) % 10
        ink = look.style.make(shown, size, rng)
        if look.cell and ink.shape[1] > look.cell:
            shape = (max(3, int(look.cell)), len(ink))
            ink = np.asarray(cv2.resize(ink, shape, interpolation=cv2.INTER_AREA), np.uint8)
        y = middle + step * (size + gap)
        first, last = max(0, int(top - y)), min(len(ink), int(bottom - y))
        seen = (last - first) / len(ink)
        if seen <= 0.1:
            continue
        x, part = left + (right - left - ink.shape[1]) / 2, ink[first:last]
        if seen > 0.85:
            canvas.digit(part, x, y + first, shown, look.colour)
        else:
            canvas.blend(part, x, y + first, look.colour)
            if seen > 0.5:
                canvas.ignore(x, y + first, part.shape[1], len(part))


def _bars(canvas: Canvas, edges: Sequence[float], middle: float, size: float) -> None:
    """Draw the dark gaps between light drums, which are hardly higher than digits."""
    rng, layer = canvas.rng, canvas.layer()
    pitch, half = edges[1] - edges[0], size * rng.uniform(0.5, 0.72)
    thick, shift = pitch * rng.uniform(0.05, 0.2), pitch * rng.uniform(-0.05, 0.05)
    for x in edges:
        wide, low = thick * rng.uniform(0.7, 1.2), half * rng.uniform(0.8, 1.1)
        corner = (round(x + shift + wide / 2), round(middle + low))
        start = (round(x + shift - wide / 2), round(middle - half))
        cv2.rectangle(layer, start, corner, 255, -1)
    canvas.blend(layer, 0, 0, any_colour(rng, 0, 70), rng.uniform(0.6, 1))


def _reflection(canvas: Canvas, share: float) -> None:
    """Blend the reflection of a lamp over the glass."""
    rng, layer = canvas.rng, canvas.layer()
    if rng.random() < share:
        centre = (int(rng.uniform(0, canvas.width)), int(rng.uniform(0, canvas.height)))
        axes = (int(rng.uniform(4, 50)), int(rng.uniform(4, 25)))
        cv2.ellipse(layer, centre, axes, rng.uniform(0, 180), 0, 360, 255, -1)
        soft = cv2.GaussianBlur(layer, (0, 0), rng.uniform(2, 15))
        canvas.blend(np.asarray(soft), 0, 0, np.full(3, 255.0), rng.uniform(0.3, 0.8))
