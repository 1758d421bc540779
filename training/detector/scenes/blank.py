"""Pictures without digits: grounds, words, letters, scribbles, symbols and shapes."""

import cv2
import numpy as np

from training.detector import textures
from training.detector.canvas import Alpha, Canvas
from training.detector.colours import any_colour, ink_colour
from training.detector.letters import LETTER_ASPECT, LETTERS
from training.detector.scenes.sizes import digit_height
from training.detector.sources import Sources, pen
from training.detector.text import scribble, word, write_text


def blank(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """A picture without digits; what resembles one is ignored."""
    shares = textures.OUTDOORS if rng.random() < 0.5 else textures.ANY
    canvas = Canvas(textures.ground(rng, sources, height, width, shares), rng)
    colour, chance = ink_colour(rng, canvas.mean_colour()), rng.random()
    if chance < 0.25:
        return canvas
    if chance < 0.45:
        letters(canvas, sources)
    elif chance < 0.6:
        handwritten_letters(canvas)
    elif chance < 0.72:
        size = digit_height(rng, 0.6 * height)
        y = rng.uniform(0, 0.5) * size
        while y + size < height:
            text = " ".join(word(rng) for _ in range(3))
            write_text(canvas, text, rng.uniform(0, 20), y, size, colour, sources.typeface(rng))
            y += size * rng.uniform(1.2, 2)
    elif chance < 0.85:
        for _ in range(rng.integers(1, 4)):
            side = rng.uniform(0.3, 0.9) * min(height, width)
            left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
            # A short stroke may look like any digit.
            scribble(
                canvas,
                (left, top, left + side, top + side),
                colour,
                rng.uniform(1, max(2, side * 0.1)),
            )
            canvas.ignore(left, top, side, side)
    else:
        shapes(canvas)
    return canvas


def letters(canvas: Canvas, sources: Sources) -> None:
    """Write one to three large letters."""
    rng = canvas.rng
    size = min(canvas.height, canvas.width) * rng.uniform(0.3, 0.9)
    x = (canvas.width - 0.7 * size) * rng.uniform(0, 0.9)
    y = (canvas.height - size) * rng.uniform(0.1, 0.9)
    font = sources.typeface(rng, script=rng.random() < 0.3)
    colour = ink_colour(rng, canvas.mean_colour())
    write_text(canvas, word(rng, int(rng.integers(1, 4))), x, y, size, colour, font)


def handwritten_letters(canvas: Canvas) -> None:
    """Write one to three letters with a pen."""
    rng, hand = canvas.rng, pen(canvas.rng)
    colour = ink_colour(rng, canvas.mean_colour())
    size = min(canvas.height, canvas.width) * rng.uniform(0.3, 0.95)
    x, y = rng.uniform(0, 0.3) * canvas.width, (canvas.height - size) * rng.uniform(0, 1)
    for _ in range(rng.integers(1, 4)):
        paths = LETTERS[rng.integers(len(LETTERS))]
        ink = hand.draw(paths, LETTER_ASPECT, size * rng.uniform(0.8, 1.1), rng)
        canvas.blend(ink, x, y, colour)
        x += ink.shape[1] + size * rng.uniform(0.05, 0.4)


def shapes(canvas: Canvas) -> None:
    """Draw rectangles, windows, discs, lines, triangles and outlines; rings are ignored."""
    rng, height, width = canvas.rng, canvas.height, canvas.width
    for _ in range(rng.integers(1, 6)):
        layer, kind = canvas.layer(), rng.integers(5)
        x, y, side = rng.uniform(-10, width), rng.uniform(-10, height), rng.uniform(10, 120)
        thick = max(1, int(rng.uniform(1, 6))) if rng.random() < 0.7 else -1
        if kind == 0:
            corner = (int(x + side * rng.uniform(0.3, 1.2)), int(y + side))
            cv2.rectangle(layer, (int(x), int(y)), corner, 255, thick)
        elif kind == 1:
            cv2.circle(layer, (int(x), int(y)), int(side / 2), 255, thick, cv2.LINE_AA)
            if thick > 0:
                canvas.ignore(x - side / 2, y - side / 2, side, side)
        elif kind == 2:
            end = (int(rng.uniform(0, width)), int(rng.uniform(0, height)))
            cv2.line(layer, (int(x), int(y)), end, 255, abs(thick), cv2.LINE_AA)
            canvas.ignore(min(x, end[0]), min(y, end[1]), abs(x - end[0]), abs(y - end[1]))
        elif kind == 3:
            _outline(layer, rng)
        else:
            points = np.stack([rng.uniform(0, width, 3), rng.uniform(0, height, 3)], axis=1)
            cv2.fillPoly(layer, [points.astype(np.int32)], 255)
        canvas.blend(layer, 0, 0, any_colour(rng))


def _outline(layer: Alpha, rng: np.random.Generator) -> None:
    """Draw an outline of three to five corners with a pen; more corners may look like a zero."""
    height, width = layer.shape
    corners = int(rng.integers(3, 6))
    turns = np.arange(corners) + rng.uniform(0, 1) + rng.uniform(-0.2, 0.2, corners)
    angles = 2 * np.pi / corners * turns
    reach = min(height, width) * rng.uniform(0.15, 0.48) * rng.uniform(0.6, 1, 2)
    middle = np.array([width, height]) * rng.uniform(0.35, 0.65, 2)
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1) * reach + middle
    thick = max(1, round(2 * reach.min() * rng.uniform(0.04, 0.15)))
    closed = bool(rng.random() < 0.7)
    cv2.polylines(layer, [points.round().astype(np.int32)], closed, 255, thick, cv2.LINE_AA)
