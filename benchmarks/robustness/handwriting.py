"""Images of MNIST at any size and with any pen width.

The outline comes from the gray levels. To change the pen, the shape is thinned to its centre line
(T. Zhang and C. Suen, "A fast parallel algorithm for thinning digital patterns", Communications of
the ACM 27, 1984), and the line is drawn with the new width.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.family import Ink, Rng, as_ink
from training.data import Digits

UPSAMPLING = 8  # shapes are processed at this multiple of MNIST's resolution
MNIST_DIGIT_HEIGHT_PX = 20  # of most digits
PADDING_PX = 2  # in pixels of MNIST


def random_digit(rng: Rng, digits: Digits) -> tuple[NDArray[np.uint8], int]:
    """Return a random image [28, 28] and its digit."""
    index = rng.integers(len(digits.labels))
    return digits.images[index], int(digits.labels[index])


def enlarge_digit(image: NDArray[np.uint8], height: float, pen: float | None = None) -> Ink:
    """Scale an image [28, 28] so that 20 of its pixels become `height`; cropped to its ink.

    Args:
        image: an image of MNIST, ink 255.
        height: height of the digit in pixels.
        pen: width of the stroke as a fraction of the height; None keeps the original stroke.
    """
    shape = _upsampled_mask(image)
    if pen is None:
        depth = cv2.distanceTransform(shape, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        depth -= cv2.distanceTransform(1 - shape, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    else:
        off_line = 1 - _thin(shape)
        depth = pen / 2 * MNIST_DIGIT_HEIGHT_PX * UPSAMPLING - cv2.distanceTransform(
            off_line, cv2.DIST_L2, cv2.DIST_MASK_PRECISE
        )
    # The signed distance to the outline is smooth, so it can be scaled to any size.
    depth = cv2.GaussianBlur(depth, (0, 0), 1.5)
    scale = height / (MNIST_DIGIT_HEIGHT_PX * UPSAMPLING)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    depth = cv2.resize(depth, None, fx=scale, fy=scale, interpolation=method) * scale
    return crop_to_ink(np.clip(depth + 0.5, 0, 1).astype(np.float32))


def crop_to_ink(ink: Ink) -> Ink:
    """Remove the empty rows and columns around ink."""
    filled = ink > 0.02
    rows, columns = (np.flatnonzero(filled.any(axis=axis)) for axis in (1, 0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def random_tilt(ink: Ink, rng: Rng, slant: float = 0.25, turn: float = 8) -> Ink:
    """Shear ink by at most `slant` (x per y), and rotate it by at most `turn` degrees."""
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
    return crop_to_ink(np.asarray(moved, np.float32))


def _upsampled_mask(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a smooth, upsampled mask of an image [28, 28]: uint8, 1 where there is ink."""
    padded = np.pad(as_ink(image), PADDING_PX)
    large = cv2.resize(padded, None, fx=UPSAMPLING, fy=UPSAMPLING, interpolation=cv2.INTER_CUBIC)
    smooth = cv2.GaussianBlur(large, (0, 0), 0.45 * UPSAMPLING)
    return np.asarray(smooth > 0.4, np.uint8)


def _thin(shape: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Thin a mask until its lines are one pixel wide."""
    line = shape
    while True:
        before = line
        for keep in _THINNING_TABLES:
            around = cv2.filter2D(line, -1, _NEIGHBOUR_BITS, borderType=cv2.BORDER_CONSTANT)
            line = line & cv2.LUT(around, keep)
        if np.array_equal(line, before):
            return line


# One bit for each neighbour of a pixel, clockwise from the one above it.
_NEIGHBOUR_BITS = np.array([[128, 1, 2], [64, 0, 4], [32, 16, 8]], np.float32)


def _thinning_tables() -> list[NDArray[np.uint8]]:
    """Return for each half of a step which patterns of neighbours keep a pixel: two of [256]."""
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


_THINNING_TABLES = _thinning_tables()
