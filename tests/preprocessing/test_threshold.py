"""The histogram and Otsu's threshold against NumPy and scikit-image."""

import numpy as np
import pytest
from skimage import filters

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.threshold import MAX_BINCOUNT_PX, histogram, otsu_threshold


def _pictures() -> list[Gray]:
    rng = np.random.default_rng(0)
    pictures = []
    for size in (2, 50, MAX_BINCOUNT_PX + 1000):
        for dark, light, share in ((30, 220, 0.1), (90, 140, 0.5), (0, 255, 0.9)):
            levels = np.where(rng.random(size) < share, dark, light) + rng.normal(0, 12, size)
            pictures.append(levels.clip(0, 255).astype(np.uint8).reshape(-1, size // 2))
    return pictures


pictures = pytest.mark.parametrize("gray", _pictures(), ids=lambda gray: f"{gray.shape}")


@pictures
def test_histogram(gray: Gray) -> None:
    expected = np.histogram(gray, np.arange(257))[0]
    np.testing.assert_array_equal(histogram(gray), expected)


@pictures
def test_otsu_threshold(gray: Gray) -> None:
    if gray.min() == gray.max():
        return
    expected = filters.threshold_otsu(hist=(histogram(gray), np.arange(256)))
    # Thresholds between the same two levels are equivalent.
    np.testing.assert_array_equal(gray > otsu_threshold(histogram(gray)), gray > expected)
