"""Dilation and closing against SciPy."""

import numpy as np
import pytest
from scipy import ndimage

from mnist_cli.framing.morphology import dilate, morphological_closing


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (2, 3), (30, 41)])
@pytest.mark.parametrize("density", [0.0, 0.05, 0.4, 1.0])
def test_dilate(shape: tuple[int, int], density: float) -> None:
    mask = np.random.default_rng(0).random(shape) < density
    np.testing.assert_array_equal(dilate(mask), ndimage.binary_dilation(mask, np.ones((3, 3))))


@pytest.mark.parametrize("shape", [(1, 1), (5, 60), (47, 38)])
@pytest.mark.parametrize("window", [1, 2, 3, 4, 7, 12])
def test_morphological_closing(shape: tuple[int, int], window: int) -> None:
    gray = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    padded = ndimage.grey_closing(np.pad(gray, window, mode="edge"), (window, window))
    expected = padded[window:, window:][: shape[0], : shape[1]]
    np.testing.assert_array_equal(morphological_closing(gray, window), expected)


def test_closing_removes_narrow_dark_lines_only() -> None:
    gray = np.full((40, 60), 200, np.uint8)
    gray[:, 30:] = 90
    expected = gray.copy()
    gray[:, 10:13] = gray[5:8] = 20
    np.testing.assert_array_equal(morphological_closing(gray, 4), expected)
