"""Estimates the gray level of the background."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.arrays import Floats, Gray


def border(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the outermost pixels of a picture [H, W]; most of them show the background."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def border_contrast(gray: Gray) -> int:
    """Return the range of the levels of the outermost pixels."""
    edge = border(gray)
    return int(edge.max()) - int(edge.min())


def estimate_background(level: Floats, weight: Floats) -> Floats:
    """Fit a smooth surface [H, W] to the levels of a picture.

    The weighted means on a coarse grid are smoothed by normalized convolution (H. Knutsson and
    C.-F. Westin, "Normalized and differential convolution", CVPR 1993), at growing scales where
    the weights are low.

    Args:
        level: gray levels [H, W].
        weight: 1.0 for background and 0.0 for foreground [H, W].
    """
    height, width = level.shape
    cell = max(8, max(height, width) / 12)
    rows, columns = (max(2, round(side / cell)) for side in (height, width))
    row_starts = np.arange(rows) * height // rows
    column_starts = np.arange(columns) * width // columns

    def cells(values: Floats) -> Floats:
        return np.add.reduceat(np.add.reduceat(values, row_starts, 0), column_starts, 1)

    wide_sums, wide_weights = sums, weights = cells(level * weight), cells(weight)
    # Far from any background the result is the mean of the picture.
    floor = np.float32(1e-4 * height * width / (rows * columns))
    total = sums + floor * sums.sum() / max(weights.sum(), 1)
    norm = weights + floor
    for fade in (0.2, 0.02, 0.002):
        wide_sums, wide_weights = (
            np.asarray(_blur_matrix(rows) @ values @ _blur_matrix(columns).T, np.float32)
            for values in (wide_sums, wide_weights)
        )
        total += np.float32(fade) * wide_sums
        norm += np.float32(fade) * wide_weights
    coarse = Image.fromarray((total / norm).astype(np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


@functools.lru_cache
def _blur_matrix(count: int) -> Floats:
    """Return the matrix [count, count] of two binomial filters that repeat the edge values."""
    padded = np.pad(np.eye(count, dtype=np.float32), ((1, 1), (0, 0)), mode="edge")
    once = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / np.float32(4)
    return once @ once
