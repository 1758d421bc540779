"""The levels of a picture: where to part them, and those of the paper under and around the ink."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.arrays import Floats, Gray, Indices

# Ink, 0 to 255, that is seen: in a clean picture, and in one with noise.
FAINT, HALF = 63, 127
# Pixels of pictures that NumPy counts faster than Pillow; of others it would make eight bytes each.
FEW = 2**14


def border(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The outermost pixels."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def border_contrast(gray: Gray) -> int:
    """How much the levels of the outermost pixels differ."""
    edge = border(gray)
    return int(edge.max()) - int(edge.min())


def spread(level: Floats, weight: Floats) -> Floats:
    """A smooth surface through the levels [H, W], each with its weight.

    Means of a coarse grid, smoothed where they are few: normalised convolution (Knutsson and
    Westin 1993).
    """
    height, width = level.shape
    cell = max(8, max(height, width) / 12)
    rows, columns = (max(2, round(side / cell)) for side in (height, width))
    row_starts = np.arange(rows) * height // rows
    column_starts = np.arange(columns) * width // columns

    def cells(values: Floats) -> Floats:
        return np.add.reduceat(np.add.reduceat(values, row_starts, 0), column_starts, 1)

    wide_sums, wide_weights = sums, weights = cells(level * weight), cells(weight)
    # At the very least the mean of all, where no weight is near.
    least = np.float32(1e-4 * height * width / (rows * columns))
    total = sums + least * sums.sum() / max(weights.sum(), 1)
    norm = weights + least
    for fade in (0.2, 0.02, 0.002):
        wide_sums, wide_weights = (
            np.asarray(_blurs(rows) @ values @ _blurs(columns).T, np.float32)
            for values in (wide_sums, wide_weights)
        )
        total += np.float32(fade) * wide_sums
        norm += np.float32(fade) * wide_weights
    coarse = Image.fromarray((total / norm).astype(np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


@functools.lru_cache
def _blurs(count: int) -> Floats:
    """The matrix [count, count] of a binomial filter, taken twice; what is at the end goes on."""
    padded = np.pad(np.eye(count, dtype=np.float32), ((1, 1), (0, 0)), mode="edge")
    once = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / np.float32(4)
    return once @ once


def closed(gray: Gray, window: int) -> Gray:
    """The picture without what is dark and narrower than the window; edges of shadows stay.

    A morphological closing (Serra 1982): the greatest level around each pixel, then the least.
    """
    padded = np.pad(gray, window, mode="edge")
    closed = _extreme(_extreme(padded, window, np.maximum), window, np.minimum)
    return closed[1:, 1:][: gray.shape[0], : gray.shape[1]]


def _extreme(gray: Gray, window: int, pick: np.ufunc) -> Gray:
    """The extreme of each window x window pixels -> [H - window + 1, W - window + 1]."""
    for _ in range(2):
        width = 1
        while width < window:
            step = min(width, window - width)
            gray = pick(gray[:-step], gray[step:])
            width += step
        gray = gray.T
    return gray


def histogram(gray: Gray) -> Indices:
    """How many pixels have each level [256]."""
    if gray.size <= FEW:
        return np.bincount(gray.ravel(), minlength=256)
    return np.array(Image.fromarray(gray).histogram())


def otsu(counts: Indices) -> int:
    """The level that parts a histogram best into two: Otsu, "A threshold selection method" (1979).

    The second part begins after it.
    """
    below = counts.cumsum()
    above = below[-1] - below
    sums = (counts * np.arange(len(counts))).cumsum()
    apart = sums * below[-1] - sums[-1] * below
    return int((apart.astype(np.float64) ** 2 / np.maximum(below * above, 1)).argmax())
