"""Numbers on houses, buses, plates and jerseys, and embossed ones."""

import cv2
import numpy as np

from training.detector import textures
from training.detector.canvas import Canvas, Colour
from training.detector.colours import any_colour, gray, ink_colour
from training.detector.effects import border, no_effect, panel, random_effect, relief
from training.detector.numbers import Look, random_digits, write_number
from training.detector.scenes.blank import shapes
from training.detector.sources import Sources, dot_matrix
from training.detector.text import edge_text, scatter_words, word, write_text

COUNTS, COUNT_SHARES = (1, 2, 3, 4, 5), (0.2, 0.3, 0.28, 0.17, 0.05)


def plate(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """A number on a house, a bus or a door, often on a plate with a rim and screws."""
    canvas = Canvas(textures.ground(rng, sources, height, width, textures.OUTDOORS), rng)
    count = int(rng.choice(COUNTS, p=COUNT_SHARES))
    lit = rng.random() < 0.06
    style = dot_matrix(rng) if lit else sources.typeface(rng, script=rng.random() < 0.05)
    if rng.random() < 0.25:  # windows, letter boxes and pipes
        shapes(canvas)
    size = min(height * rng.uniform(0.25, 0.85), width / (0.65 * count + 0.5) * rng.uniform(0.4, 1))
    size = max(size * (0.45 if rng.random() < 0.25 else 1), 9.0)
    long = count * 0.62 * size
    x, y = (width - long) * rng.uniform(0.2, 0.8), (height - size) * rng.uniform(0.2, 0.8)
    if rng.random() < 0.6:
        ground = _plate(canvas, x, y, long, size)
        colour = ink_colour(rng, ground)
    else:
        ground = canvas.mean_colour(x, y, long, size)
        colour = ink_colour(rng, ground, 70)
    effect = random_effect(rng, size, colour, ground)
    look = Look(style, colour, size, 1.0, rng.uniform(0, 0.25), effect=effect)
    digits = random_digits(rng, count)
    if count > 1 and rng.random() < 0.06:  # one below the other
        step = min(size, (height - 2) / count)
        for index, digit in enumerate(digits):
            lower = Look(style, colour, 0.85 * step, effect=effect)
            write_number(canvas, lower, [digit], x + long / 2, index * step, "_")
        return canvas
    end = write_number(canvas, look, digits, x, y)
    font = sources.typeface(rng)
    if rng.random() < 0.25:
        small = size * rng.uniform(0.15, 0.4)
        write_text(canvas, word(rng), x, y + 1.1 * size, small, colour, font)
    if rng.random() < 0.15:
        small = size * rng.uniform(0.5, 1)
        write_text(canvas, word(rng, 1), end + 0.08 * size, y + size - small, small, colour, font)
    if rng.random() < 0.1:
        edge_text(canvas, sources, size, colour)
    if rng.random() < 0.12:
        small = size * rng.uniform(0.15, 0.35)
        write_text(canvas, word(rng), x, y - 1.4 * small, small, colour, font)
    return canvas


def _plate(canvas: Canvas, x: float, y: float, long: float, size: float) -> Colour:
    """Draw a plate around the place of a number and return its colour."""
    rng = canvas.rng
    side, above = size * rng.uniform(0.12, 0.5), size * rng.uniform(0.1, 0.45)
    box, colour = (x - side, y - above, x + long + side, y + size + above), any_colour(rng)
    shape = int(rng.integers(3))
    if rng.random() < 0.4:
        dx, dy = rng.uniform(-3, 3), rng.uniform(1, 5)
        shifted = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        panel(canvas, shifted, np.zeros(3), shape, rng.uniform(0.2, 0.7))
    mask = panel(canvas, box, colour, shape)
    if rng.random() < 0.5:
        inset = 1 + int(size * rng.uniform(0.02, 0.08))
        rim = 1 + max(1, int(size * rng.uniform(0.015, 0.06)))
        inner = cv2.erode(mask, np.ones((inset, inset), np.uint8))
        edge = cv2.morphologyEx(inner, cv2.MORPH_GRADIENT, np.ones((rim, rim), np.uint8))
        canvas.blend(np.asarray(edge), 0, 0, ink_colour(rng, colour))
    if rng.random() < 0.35:
        screw = canvas.layer()
        radius = max(1, int(size * rng.uniform(0.03, 0.07)))
        for left in (x - 0.6 * side, x + long + 0.6 * side):
            cv2.circle(screw, (int(left), int(y + size / 2)), radius, 255, -1, cv2.LINE_AA)
        canvas.blend(screw, 0, 0, any_colour(rng))
    return colour


def jersey(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """One or two bold digits with a border on creased cloth, seen from far away."""
    cloth = any_colour(rng)
    canvas = Canvas(textures.plain(rng, height, width, cloth), rng)
    if rng.random() < 0.35:
        canvas.picture[:] = textures.stripes(rng, height, width)
    if rng.random() < 0.5:  # the player's surroundings on one or both sides
        behind = textures.photo(rng, sources, height, width)
        for columns in (
            slice(0, int(width * rng.uniform(0, 0.25))),
            slice(int(width * rng.uniform(0.75, 1)), width),
        ):
            canvas.picture[:, columns] = behind[:, columns]
    if rng.random() < 0.3:  # sleeves, collars and numbers of other players
        shapes(canvas)
    folds = textures.noise_field(rng, height, width, rng.uniform(6, 30))
    canvas.picture *= 1 + folds * np.float32(rng.uniform(0, 0.2))
    count = int(rng.choice([1, 2, 2]))
    size = min(height * rng.uniform(0.4, 0.9), width / (0.65 * count + 0.2) * rng.uniform(0.6, 1))
    ground = canvas.mean_colour()
    colour = ink_colour(rng, ground, 50)
    effect = border(rng, size, colour) if rng.random() < 0.6 else no_effect
    look = Look(
        sources.typeface(rng),
        colour,
        size,
        rng.uniform(0.85, 1),
        rng.uniform(-0.08, 0.2),
        effect=effect,
    )
    x = (width - count * 0.62 * size) * rng.uniform(0.2, 0.8)
    y = (height - size) * rng.uniform(0.2, 0.9)
    write_number(canvas, look, random_digits(rng, count), x, y)
    if rng.random() < 0.35:
        font, small = sources.typeface(rng), size * rng.uniform(0.2, 0.5)
        write_text(
            canvas, word(rng), rng.uniform(0, 0.4) * width, y - 1.2 * small, small, colour, font
        )
    return canvas


def embossed(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """Digits pressed into or raised from metal, plastic, stone or paper."""
    if rng.random() < 0.75:
        canvas = Canvas(textures.plain(rng, height, width, gray(rng, 40, 220)), rng)
    else:
        canvas = Canvas(textures.photo(rng, sources, height, width), rng)
    count = int(rng.integers(1, 10)) if width > 1.5 * height else int(rng.integers(1, 4))
    size = min(height * rng.uniform(0.4, 0.9), width / (0.7 * count + 0.2) * rng.uniform(0.7, 1))
    size = max(size, 10.0)
    x, y = (
        (width - count * 0.65 * size) * rng.uniform(0.1, 0.9),
        (height - size) * rng.uniform(0.1, 0.9),
    )
    ground = canvas.mean_colour(x, y, count * 0.7 * size, size)
    colour = np.clip(ground + rng.uniform(-18, 18), 0, 255)
    style = sources.typeface(rng)
    opacity = rng.uniform(0.3, 1)
    look = Look(
        style, colour, size, opacity, rng.uniform(0.05, 0.25), effect=relief(rng, size, ground)
    )
    write_number(canvas, look, random_digits(rng, count), x, y)
    if rng.random() < 0.15:
        scatter_words(canvas, sources, 1, size, ink_colour(rng, ground))
    return canvas
