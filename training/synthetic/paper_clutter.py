"""What else is on the paper: ruled lines, squares, form cells and a part of the next digit."""

from typing import NamedTuple

import cv2
import numpy as np

from training.recipes.synthetic import SYNTHETIC
from training.synthetic.ink import Floats, Gray

RECIPE = SYNTHETIC.clutter


class BoundingBox(NamedTuple):
    """Where the ink is in a picture, in pixels; bottom and right are excluded."""

    top: int
    left: int
    bottom: int
    right: int


def add_clutter(coverage: Floats, box: BoundingBox, rng: np.random.Generator) -> Floats:
    """Add at most one kind of clutter around the ink in the box; coverage is [H, W], 0 to 1."""
    lined = RECIPE.ruled_prob + RECIPE.squared_prob
    chance = rng.random()
    if chance < lined:
        lines = _ruled_lines(coverage, box, chance < RECIPE.squared_prob, rng)
    elif chance < lined + RECIPE.cell_prob:
        lines = _form_cell(coverage, box, rng)
    elif chance < lined + RECIPE.cell_prob + RECIPE.neighbour_prob:
        return _add_neighbour(coverage, box, rng)
    else:
        return coverage
    height, width = lines.shape
    tilt = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, RECIPE.tilt_sd), 1)
    tilted = cv2.warpAffine(lines, tilt, (width, height))
    strength = np.float32(rng.uniform(*RECIPE.coverage) / 255)
    return np.asarray(np.maximum(coverage, tilted * strength), np.float32)


def _ruled_lines(
    coverage: Floats, box: BoundingBox, squared: bool, rng: np.random.Generator
) -> Gray:
    lines: Gray = np.zeros(coverage.shape, np.uint8)
    size = box.bottom - box.top
    width = _line_width(size, rng)
    pitch = int(rng.uniform(*RECIPE.pitch) * size) + RECIPE.min_gap
    on_line = rng.random() < RECIPE.on_line_prob
    below = rng.uniform(*RECIPE.height_above_line) * size if on_line else rng.uniform(0, pitch)
    for y in range(round(box.bottom + below) % pitch, len(lines), pitch):
        lines[y : y + width] = 255
    if squared:
        for x in range(int(rng.integers(pitch)), lines.shape[1], pitch):
            lines[:, x : x + width] = 255
    return lines


def _form_cell(coverage: Floats, box: BoundingBox, rng: np.random.Generator) -> Gray:
    """Draw a cell around the digit, if there is room for one."""
    lines: Gray = np.zeros(coverage.shape, np.uint8)
    height, width = lines.shape
    line_width = _line_width(box.bottom - box.top, rng)
    room = min(box.top, box.left, height - box.bottom, width - box.right)
    room -= line_width + RECIPE.cell_clearance
    if room >= 0:
        margin = int(rng.uniform(*RECIPE.cell_margin) * room)
        corner = (width - 1 - margin, height - 1 - margin)
        cv2.rectangle(lines, (margin, margin), corner, 255, line_width)
    return lines


def _line_width(size: int, rng: np.random.Generator) -> int:
    return max(1, round(rng.uniform(*RECIPE.line_width) * size))


def _add_neighbour(coverage: Floats, box: BoundingBox, rng: np.random.Generator) -> Floats:
    """Show a part of the same ink, rotated by 180 degrees, at the left or right border."""
    mirrored = rng.random() < 0.5
    if mirrored:
        coverage = coverage[:, ::-1]
    right = coverage.shape[1] - box.left if mirrored else box.right
    width = box.right - box.left
    gap = round(rng.uniform(*RECIPE.neighbour_gap) * max(width, box.bottom - box.top))
    start = right + gap
    shown = coverage.shape[1] - start
    if 0 < shown < RECIPE.neighbour_max_shown * width:
        neighbour = coverage[box.top : box.bottom, right - width : right][::-1, ::-1]
        coverage = coverage.copy()
        coverage[box.top : box.bottom, start:] = neighbour[:, :shown]
    return coverage[:, ::-1] if mirrored else coverage
