"""What else is on the paper: ruled lines, squares, boxes of forms, and a neighbour's ink."""

from typing import NamedTuple

import cv2
import numpy as np

from training.synthetic.ink import Floats, Gray

RULED, SQUARED, BOXED, WITH_NEIGHBOUR = 0.12, 0.08, 0.12, 0.13
"""The shares of the pictures that have each of them; none has two."""


class BoundingBox(NamedTuple):
    """Where ink is in a picture: pixels, the last two exclusive."""

    top: int
    left: int
    bottom: int
    right: int


def add_clutter(coverage: Floats, box: BoundingBox, rng: np.random.Generator) -> Floats:
    """Add what may be on the paper besides the ink in the box; coverage is [H, W], 0 to 1."""
    chance = rng.random()
    if chance < RULED + SQUARED:
        lines = _ruled_lines(coverage, box, chance < SQUARED, rng)
    elif chance < RULED + SQUARED + BOXED:
        lines = _form_cell(coverage, box, rng)
    elif chance < RULED + SQUARED + BOXED + WITH_NEIGHBOUR:
        return _add_neighbour(coverage, box, rng)
    else:
        return coverage
    height, width = lines.shape
    tilt = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 1), 1)
    tilted = cv2.warpAffine(lines, tilt, (width, height))
    strength = np.float32(rng.uniform(0.15, 0.7) / 255)
    return np.asarray(np.maximum(coverage, tilted * strength), np.float32)


def _ruled_lines(
    coverage: Floats, box: BoundingBox, squared: bool, rng: np.random.Generator
) -> Gray:
    lines: Gray = np.zeros(coverage.shape, np.uint8)
    size = box.bottom - box.top
    thickness = _thickness(size, rng)
    pitch = int(rng.uniform(1.1, 1.8) * size) + 4
    # Most people write above the line.
    above = rng.uniform(0.03, 0.2) * size if rng.random() < 0.85 else rng.uniform(0, pitch)
    for y in range(round(box.bottom + above) % pitch, len(lines), pitch):
        lines[y : y + thickness] = 255
    if squared:
        for x in range(int(rng.integers(pitch)), lines.shape[1], pitch):
            lines[:, x : x + thickness] = 255
    return lines


def _form_cell(coverage: Floats, box: BoundingBox, rng: np.random.Generator) -> Gray:
    """A frame between the ink and the border, where there is room for it."""
    lines: Gray = np.zeros(coverage.shape, np.uint8)
    height, width = lines.shape
    thickness = _thickness(box.bottom - box.top, rng)
    room = min(box.top, box.left, height - box.bottom, width - box.right) - thickness - 3
    if room >= 0:
        edge = int(rng.uniform(0, 0.6) * room)
        cv2.rectangle(lines, (edge, edge), (width - 1 - edge, height - 1 - edge), 255, thickness)
    return lines


def _thickness(size: int, rng: np.random.Generator) -> int:
    return max(1, round(rng.uniform(0.01, 0.04) * size))


def _add_neighbour(coverage: Floats, box: BoundingBox, rng: np.random.Generator) -> Floats:
    """Let the same ink, upside down, reach in from one side, where there is room for a part."""
    mirrored = rng.random() < 0.5
    if mirrored:
        coverage = coverage[:, ::-1]
    right = coverage.shape[1] - box.left if mirrored else box.right
    width = box.right - box.left
    start = right + round(rng.uniform(0.3, 0.6) * max(width, box.bottom - box.top))
    shown = coverage.shape[1] - start
    if 0 < shown < 0.7 * width:
        neighbour = coverage[box.top : box.bottom, right - width : right][::-1, ::-1]
        coverage = coverage.copy()
        coverage[box.top : box.bottom, start:] = neighbour[:, :shown]
    return coverage[:, ::-1] if mirrored else coverage
