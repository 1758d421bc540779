"""Digits of MNIST as large, smooth shapes, written with pens of any width.

The outline comes from the gray levels. For another pen the shape is thinned to its centre line
(T. Zhang and C. Suen, "A fast parallel algorithm for thinning digital patterns", Communications of
the ACM 27, 1984), which is then drawn anew.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.family import Ink, Rng, as_ink
from training.data import Digits

DETAIL = 8  # pixels to each pixel of MNIST while a shape is worked on
HEIGHT = 20  # of most digits in MNIST
PAD = 2


def any_digit(rng: Rng, digits: Digits) -> tuple[NDArray[np.uint8], int]:
    """Take one image [28, 28] with its digit."""
    index = rng.integers(len(digits.labels))
    return digits.images[index], int(digits.labels[index])


def enlarged(image: NDArray[np.uint8], height: float, pen: float | None = None) -> Ink:
    """Enlarge an image [28, 28] so that 20 of its pixels become `height`; cropped to its ink.

    Args:
        image: an image of MNIST, ink 255.
        height: of the digit, in pixels.
        pen: the width of the line as a fraction of the height; as it was written if None.
    """
    shape = _shape(image)
    if pen is None:
        depth = cv2.distanceTransform(shape, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        depth -= cv2.distanceTransform(1 - shape, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    else:
        off_line = 1 - _centre_line(shape)
        depth = pen / 2 * HEIGHT * DETAIL - cv2.distanceTransform(
            off_line, cv2.DIST_L2, cv2.DIST_MASK_PRECISE
        )
    # How far a pixel lies inside the line varies smoothly, so it can be scaled to any size.
    depth = cv2.GaussianBlur(depth, (0, 0), 1.5)
    scale = height / (HEIGHT * DETAIL)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    depth = cv2.resize(depth, None, fx=scale, fy=scale, interpolation=method) * scale
    return cropped(np.clip(depth + 0.5, 0, 1).astype(np.float32))


def cropped(ink: Ink) -> Ink:
    """Cut off the empty rows and columns around ink."""
    filled = ink > 0.02
    rows, columns = (np.flatnonzero(filled.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def tilted(ink: Ink, rng: Rng, slant: float = 0.25, turn: float = 8) -> Ink:
    """Slant ink (at most `slant` sideways for 1 up) and turn it (at most `turn` degrees)."""
    height, width = ink.shape
    shear = rng.uniform(-slant, slant)
    angle = np.radians(rng.uniform(-turn, turn))
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, sin], [-sin, cos]]) @ np.array([[1, -shear], [0, 1]])
    corners = matrix @ np.array([[0, width, 0, width], [0, 0, height, height]])
    low, high = corners.min(axis=1), corners.max(axis=1)
    size = np.ceil(high - low).astype(int) + 2
    shifted = np.column_stack([matrix, 1 - low])
    moved = cv2.warpAffine(ink, shifted, (int(size[0]), int(size[1])), flags=cv2.INTER_LINEAR)
    return cropped(np.asarray(moved, np.float32))


def _shape(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A smooth, large form of an image [28, 28]: uint8, 1 where there is ink."""
    padded = np.pad(as_ink(image), PAD)
    large = cv2.resize(padded, None, fx=DETAIL, fy=DETAIL, interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large, (0, 0), 0.45 * DETAIL)
    return np.asarray(smooth > 0.4, np.uint8)


def _centre_line(shape: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Thin a shape until its lines are one pixel wide."""
    line = shape
    while True:
        before = line
        for keep in _KEEP:
            around = cv2.filter2D(line, -1, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            line = line & cv2.LUT(around, keep)
        if np.array_equal(line, before):
            return line


# The bit of each neighbour of a pixel, clockwise from the one above it.
_NEIGHBOURS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _kept() -> list[NDArray[np.uint8]]:
    """For both halves of a step, and each pattern of neighbours: whether the pixel stays."""
    bits = np.arange(256)[:, None] >> np.arange(8) & 1
    ink = bits.sum(axis=1)
    rises = ((bits == 0) & (np.roll(bits, -1, axis=1) == 1)).sum(axis=1)
    up, right, down, left = bits[:, 0], bits[:, 2], bits[:, 4], bits[:, 6]
    loose = (ink >= 2) & (ink <= 6) & (rises == 1)
    halves = (
        (up & right & down, right & down & left),
        (up & right & left, up & down & left),
    )
    return [1 - (loose & (first == 0) & (second == 0)).astype(np.uint8) for first, second in halves]


_KEEP = _kept()
