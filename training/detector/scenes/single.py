"""Pictures of one digit: cut out, pixelated, or inside the panel of a plot or program."""

import cv2
import numpy as np

from training.detector import textures
from training.detector.canvas import IGNORED, Alpha, Canvas, Colour, Picture, line
from training.detector.colours import BLACK, WHITE, any_colour, gray, ink_colour
from training.detector.effects import frame, random_effect
from training.detector.numbers import Look, random_digit, random_digits, write_number
from training.detector.sources import Sources
from training.detector.text import word, write_text

COLOUR_MAPS = (cv2.COLORMAP_VIRIDIS, cv2.COLORMAP_PLASMA, cv2.COLORMAP_JET, cv2.COLORMAP_HOT)


def single(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """One digit of any size and style, with cell edges or cut neighbours in some pictures."""
    canvas = Canvas(textures.ground(rng, sources, height, width), rng)
    style = sources.style(rng)
    colour = ink_colour(rng, canvas.mean_colour())
    digit, size = random_digit(rng), min(height, width) * rng.uniform(0.35, 1.0)
    ink = style.make(digit, size, rng)
    if rng.random() < 0.2 or ink.shape[1] > width:  # as cut to the ink, perhaps stretched
        tall = height * rng.uniform(0.86, 1)
        wide = width * rng.uniform(0.86, 1)
        if rng.random() < 0.6 or digit == 1:
            wide = min(wide, ink.shape[1] * tall / len(ink) * rng.uniform(1, 1.3))
        shape = (max(3, round(wide)), max(8, round(tall)))
        ink = np.asarray(cv2.resize(ink, shape, interpolation=cv2.INTER_LINEAR), np.uint8)
    x, y = (
        max(0, side - ink.shape[axis]) * rng.uniform(0.15, 0.85)
        for side, axis in ((width, 1), (height, 0))
    )
    if rng.random() < 0.3:
        for side in (-1, 1):
            if rng.random() < 0.6:
                gap, other = (
                    size * rng.uniform(-0.05, 0.35),
                    style.make(random_digit(rng), size, rng),
                )
                left = x + ink.shape[1] + gap if side > 0 else x - other.shape[1] - gap
                neighbour(canvas, other, left, y, colour)
    effect = random_effect(rng, size, colour, canvas.mean_colour())
    effect(canvas, ink, x, y)
    canvas.digit(ink, x, y, digit, colour, rng.uniform(0.75, 1))
    if rng.random() < 0.22:
        _cell_edges(canvas, size, colour if rng.random() < 0.6 else any_colour(rng))
    return canvas


def neighbour(canvas: Canvas, ink: Alpha, x: float, y: float, colour: Colour) -> None:
    """Draw a digit that nobody has to read: its box is ignored."""
    before = len(canvas.shapes)
    canvas.digit(ink, x, y, IGNORED, colour)
    canvas.shapes[before:] = [(IGNORED, outline) for _, outline in canvas.shapes[before:]]


def _cell_edges(canvas: Canvas, size: float, colour: Colour) -> None:
    rng, layer = canvas.rng, canvas.layer()
    height, width, thick = canvas.height, canvas.width, size * rng.uniform(0.02, 0.1)
    for side in range(4):
        if rng.random() < 0.6:
            a, b = rng.uniform(-0.02, 0.08, 2)
            if side < 2:
                x = (a * width, b * width) if side else ((1 - a) * width, (1 - b) * width)
                line(layer, (x[0], -3), (x[1], height + 3), thick)
            else:
                y = (a * height, b * height) if side == 2 else ((1 - a) * height, (1 - b) * height)
                line(layer, (-3, y[0]), (width + 3, y[1]), thick)
    canvas.blend(layer, 0, 0, colour)


def pixelated(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """An image of MNIST or its like, enlarged without smoothing, gray or in a colour map."""
    side = min(height, width)
    canvas = Canvas(_one_colour(rng, height, width), rng)
    picture, foreground, digit = _enlarged(rng, sources, side)
    top, left = int(rng.integers(height - side + 1)), int(rng.integers(width - side + 1))
    _paste(canvas, picture, foreground, digit, left, top)
    return canvas


def panel(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """A light page with a panel that shows a digit, its axes, a title and buttons."""
    canvas = Canvas(_one_colour(rng, height, width), rng)
    canvas.picture[:] = gray(rng, 235, 255) if rng.random() < 0.75 else any_colour(rng)
    side = int(min(height, width) * rng.uniform(0.4, 0.85))
    left, top = (int((room - side) * rng.uniform(0.2, 0.8)) for room in (width, height))
    picture, foreground, digit = _enlarged(rng, sources, side)
    _paste(canvas, picture, foreground, digit, left, top)
    colour, font = gray(rng, 0, 90), sources.typeface(rng)
    if rng.random() < 0.6:
        frame(canvas, (left, top, left + side, top + side), 1, colour)
    small = float(np.clip(side * rng.uniform(0.05, 0.11), 7, 16))
    if rng.random() < 0.65:
        _ticks(canvas, Look(font, colour, small, spacing=0.08), left, top, side)
    if rng.random() < 0.6 and top > 1.3 * small:
        x = write_text(canvas, word(rng), left, top - 1.4 * small, small, colour, font)
        look = Look(font, colour, small, spacing=0.08)
        write_number(
            canvas, look, random_digits(rng, int(rng.integers(1, 4))), x + small, top - 1.4 * small
        )
    if rng.random() < 0.3 and top + side + 1.5 * small < height:
        write_text(canvas, word(rng), left, top + side + small / 2, small, any_colour(rng), font)
    return canvas


def _ticks(canvas: Canvas, look: Look, left: int, top: int, side: int) -> None:
    """Write 0, 5, 10 ... below and beside the panel."""
    for value in range(0, 28, 5 if canvas.rng.random() < 0.5 else 10):
        at, digits = side * (value + 0.5) / 28, [int(c) for c in str(value)]
        half = look.height * 0.35 * len(digits)
        for x, y in (
            (left + at - half, top + side + 0.4 * look.height),
            (left - 1.9 * half - look.height * 0.5, top + at - look.height / 2),
        ):
            if x >= 0 and y + look.height < canvas.height:
                write_number(canvas, look, digits, x, y)


def _enlarged(rng: np.random.Generator, sources: Sources, side: int) -> tuple[Picture, Alpha, int]:
    """Return a picture of a digit of few pixels, float32 [side, side, 3], its mask and digit."""
    cells, digit = int(rng.choice([16, 20, 28, 28, 28, 40])), random_digit(rng)
    if rng.random() < 0.7:
        images = sources.digits[digit]
        small = cv2.resize(images[rng.integers(len(images))], (cells, cells))
    else:
        ink = sources.style(rng).make(digit, cells * rng.uniform(0.5, 0.9), rng)[:cells, :cells]
        small = np.zeros((cells, cells), np.uint8)
        y, x = (int(v) for v in (np.array(small.shape) - ink.shape) // 2)
        small[y : y + len(ink), x : x + ink.shape[1]] = ink
    if rng.random() < 0.25:
        small = np.where(small > 110, 255, 0).astype(np.uint8)
    smooth = rng.random() < 0.2
    method = cv2.INTER_CUBIC if smooth else cv2.INTER_NEAREST
    mask: Alpha = np.asarray(cv2.resize(small, (side, side), interpolation=method), np.uint8)
    chance = rng.random()
    if chance < 0.3:
        coloured = cv2.applyColorMap(mask, COLOUR_MAPS[rng.integers(len(COLOUR_MAPS))])
        return np.asarray(coloured[..., ::-1], np.float32), mask, digit
    ground = (BLACK, WHITE)[int(rng.random() < 0.45)] if chance < 0.85 else any_colour(rng)
    colour = 255 - ground if chance < 0.85 else ink_colour(rng, ground)
    share = mask.astype(np.float32)[..., None] / 255
    return np.asarray(ground + (colour - ground) * share, np.float32), mask, digit


def _paste(canvas: Canvas, picture: Picture, mask: Alpha, digit: int, left: int, top: int) -> None:
    side = len(picture)
    canvas.digit(mask, left, top, digit, BLACK)
    canvas.picture[top : top + side, left : left + side] = picture


def _one_colour(rng: np.random.Generator, height: int, width: int) -> Picture:
    return np.full((height, width, 3), any_colour(rng), np.float32)
