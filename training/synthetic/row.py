"""Rows of digits: pictures that are not one digit, and digits with neighbours."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.data import Digits
from training.recipes.synthetic import SYNTHETIC
from training.synthetic.handwritten import draw_handwritten
from training.synthetic.ink import Gray, crop_to_ink, transform_ink
from training.synthetic.printed import draw_printed

RECIPE = SYNTHETIC.row


class RowDigit(NamedTuple):
    """A digit of a row."""

    ink: Gray
    digit: int


def draw_row(digits: Digits, rng: np.random.Generator) -> list[RowDigit]:
    """Return the digits of a row, all handwritten or all printed, of similar heights."""
    handwritten = rng.random() < RECIPE.handwritten_prob
    height = rng.uniform(*RECIPE.height)
    row = []
    for _ in range(rng.integers(*RECIPE.digits)):
        if handwritten:
            index = rng.integers(len(digits.images))
            digit = int(digits.labels[index])
            ink = draw_handwritten(digits.images[index], rng)
        else:
            digit = int(rng.integers(10))
            ink = draw_printed(str(digit), rng)
        ink = transform_ink(ink, height * rng.uniform(*RECIPE.height_factor), 0, 0)
        row.append(RowDigit(ink, digit))
    return row


def join(row: Sequence[RowDigit], rng: np.random.Generator) -> Gray:
    """Return the ink of the digits side by side; if far apart, preprocessing may pick one."""
    inks = [digit.ink for digit in row]
    tallest = max(len(ink) for ink in inks)
    gaps = [round(rng.uniform(*RECIPE.gap) * tallest) for _ in inks]
    canvas = np.zeros(
        (tallest, sum(ink.shape[1] + abs(gap) for ink, gap in zip(inks, gaps, strict=True))),
        np.uint8,
    )
    x = 0
    for ink, gap in zip(inks, gaps, strict=True):
        top = rng.integers(tallest - len(ink) + 1)
        place = canvas[top : top + len(ink), x : x + ink.shape[1]]
        np.maximum(place, ink, out=place)
        x = max(0, x + ink.shape[1] + gap)
    return np.pad(crop_to_ink(canvas), RECIPE.padding)
