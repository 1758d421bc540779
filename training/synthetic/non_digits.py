"""Pictures without a digit, or with several: the answer to them is that nothing is known.

Outlier exposure: D. Hendrycks, M. Mazeika and T. Dietterich, "Deep Anomaly Detection with Outlier
Exposure" (ICLR 2019). What could be taken for a digit is left out, such as the letters O, l and S.
"""

from collections.abc import Callable

import cv2
import numpy as np

from training.data import Digits
from training.synthetic.camera import photograph
from training.synthetic.handwritten import draw_handwritten
from training.synthetic.ink import Gray, crop_to_ink, smooth_field, transform_ink
from training.synthetic.printed import draw_printed
from training.synthetic.strokes import draw_curves, draw_scribble, smooth_curve

LETTERS = "AEFHKMNPRTUVWXadehkmnruvwx"
SYMBOLS = "#%@&*+=<>^~?-"
GAP = (-0.2, 0.35)  # of their height, between two of several digits

Points = tuple[tuple[float, float], ...]

SHAPES: tuple[tuple[Points, ...], ...] = (
    (((0, 1), (0.5, 0)), ((0.5, 0), (1, 1)), ((1, 1), (0, 1))),  # a triangle
    (((0, 0), (1, 1)), ((0, 1), (1, 0))),  # a cross
    (((0.5, 0), (0.5, 1)), ((0, 0.5), (1, 0.5))),  # plus
    (((0, 0.6), (0.35, 1)), ((0.35, 1), (1, 0))),  # a check mark
    (((0, 0.5), (1, 0.5)), ((0.7, 0.2), (1, 0.5)), ((1, 0.5), (0.7, 0.8))),  # an arrow
    (((0, 0), (1, 0)), ((1, 0), (1, 1)), ((1, 1), (0, 1)), ((0, 1), (0, 0)), ((0, 0), (1, 1))),
    (
        *(((0, 0.4), (0.5, 0)), ((0.5, 0), (1, 0.4)), ((0, 0.4), (0, 1)), ((1, 0.4), (1, 1))),
        *(((0, 1), (1, 1)), ((0, 0.4), (1, 0.4))),
    ),  # a house
    (
        *(((0.2, 1), (0.5, 0)), ((0.5, 0), (0.8, 1)), ((0.8, 1), (0, 0.38))),
        *(((0, 0.38), (1, 0.38)), ((1, 0.38), (0.2, 1))),
    ),  # a star
    (
        ((0.5, 0), (0.15, 0.15), (0, 0.5), (0.15, 0.85), (0.5, 1)),
        ((0.5, 0), (0.85, 0.15), (1, 0.5), (0.85, 0.85), (0.5, 1)),
        *(((0.3, 0.3), (0.3, 0.4)), ((0.7, 0.3), (0.7, 0.4))),
        ((0.25, 0.65), (0.5, 0.8), (0.75, 0.65)),
    ),  # a face
    (((0, 0.5), (0.25, 0), (0.5, 0.5), (0.75, 1), (1, 0.5)),),  # a wave
    (((0.5, 0.25), (0.2, 0), (0, 0.3), (0.5, 1)), ((0.5, 0.25), (0.8, 0), (1, 0.3), (0.5, 1))),
)
"""Drawings of straight and curved lines; the last is a heart."""


def draw_non_digit(digits: Digits, rng: np.random.Generator) -> tuple[Gray, Gray | None]:
    """Return a picture [H, W], 0 black to 255 white, that is not of one digit, and its ink."""
    if rng.random() < 0.15:
        return (_texture, _empty_form_cell)[rng.integers(2)](rng), None
    several = rng.random() < 0.3
    ink = _row_of_digits(digits, rng) if several else NON_DIGITS[rng.integers(len(NON_DIGITS))](rng)
    return photograph(ink, rng), ink


def _letter(rng: np.random.Generator) -> Gray:
    return draw_printed(LETTERS[rng.integers(len(LETTERS))], rng)


def _symbol(rng: np.random.Generator) -> Gray:
    return draw_printed(SYMBOLS[rng.integers(len(SYMBOLS))], rng)


def _shape(rng: np.random.Generator) -> Gray:
    stretch = np.array([rng.uniform(0.6, 1.4), 1])
    paths = SHAPES[rng.integers(len(SHAPES))]
    bend = rng.normal(0, 0.15, (2, 2)) + np.eye(2)
    return draw_curves([smooth_curve(np.array(path)) * stretch @ bend for path in paths], rng)


def _row_of_digits(digits: Digits, rng: np.random.Generator) -> Gray:
    """Two or three digits in a row; framing may take one of them, if they are far apart."""
    hand = rng.random() < 0.5
    count = rng.integers(2, 4)
    height = rng.uniform(16, 36)
    inks = []
    for _ in range(count):
        if hand:
            ink = draw_handwritten(digits.images[rng.integers(len(digits.images))], rng)
        else:
            ink = draw_printed(str(rng.integers(10)), rng)
        inks.append(transform_ink(ink, height * rng.uniform(0.9, 1.1), 0, 0))
    tall = max(len(ink) for ink in inks)
    wide = sum(ink.shape[1] for ink in inks) + count * round(GAP[1] * height)
    row = np.zeros((tall, wide + 1), np.uint8)
    x = 0
    for ink in inks:
        top = rng.integers(tall - len(ink) + 1)
        place = row[top : top + len(ink), x : x + ink.shape[1]]
        np.maximum(place, ink, out=place)
        x = max(0, x + ink.shape[1] + round(rng.uniform(*GAP) * height))
    # What touches the border is taken for a neighbour, too.
    return np.pad(crop_to_ink(row), 5)


def _texture(rng: np.random.Generator) -> Gray:
    """Noise, coarse or fine, that may be stretched or cut into black and white."""
    height, width = (int(side) for side in rng.integers(24, 100, 2))
    knots = int(rng.integers(3, 24))
    noise = smooth_field((height, width), knots, 0, 255, rng)
    noise += rng.normal(0, rng.uniform(0, 30), noise.shape).astype(np.float32)
    if rng.random() < 0.4:
        noise = np.where(noise > rng.uniform(90, 200), np.float32(255), np.float32(0))
    return np.clip(noise, 0, 255).astype(np.uint8)


def _empty_form_cell(rng: np.random.Generator) -> Gray:
    """An empty cell of a form, with dirt in it."""
    side = int(rng.integers(32, 96))
    paper: Gray = np.full((side, side), int(rng.integers(180, 256)), np.uint8)
    level, thickness = int(rng.integers(0, 130)), int(rng.integers(1, 3))
    edge = int(rng.integers(0, side // 6))
    cv2.rectangle(paper, (edge, edge), (side - 1 - edge, side - 1 - edge), level, thickness)
    for x, y in rng.integers(edge + 3, side - edge - 3, (rng.integers(1, 6), 2)).tolist():
        axes = [int(value) for value in rng.integers(1, 4, 2)]
        cv2.ellipse(paper, (x, y), axes, rng.uniform(0, 180), 0, 360, level, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(paper, (0, 0), rng.uniform(0.3, 1)), np.uint8)


NON_DIGITS: tuple[Callable[[np.random.Generator], Gray], ...] = (
    *(_letter, _letter, _symbol, draw_scribble, _shape),
)
"""Each as likely as the others; letters twice, since they are what people have most of."""
