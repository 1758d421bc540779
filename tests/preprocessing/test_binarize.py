"""The global threshold on pictures with a known foreground."""

import numpy as np
import pytest
from skimage import filters

from mnist_cli.arrays import Gray
from mnist_cli.errors import InputError
from mnist_cli.preprocessing.binarize import global_threshold
from mnist_cli.preprocessing.parameters import CLASSICAL

STROKES = np.zeros((120, 160), bool)
STROKES[20:100, 60:72] = STROKES[52:62, 60:130] = True


def _picture(ink: float, paper: float) -> Gray:
    return np.where(STROKES, ink, paper).astype(np.uint8)


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (40, 90), (230, 120), (255, 3)])
def test_global_threshold(ink: int, paper: int) -> None:
    gray = _picture(ink, paper)
    gray[10:14, 10:14] = (ink + paper) // 2
    foreground = global_threshold(gray)
    assert foreground is not None
    np.testing.assert_array_equal(foreground[STROKES], 255)
    assert 0 < foreground[12, 12] < 255
    otsu = gray > filters.threshold_otsu(gray)
    np.testing.assert_array_equal(
        (foreground > CLASSICAL.foreground_threshold)[20:], otsu[20:] ^ (ink < paper)
    )


def test_uneven_light_and_noise_have_no_global_threshold() -> None:
    gray = _picture(30, 220)
    assert global_threshold((gray * np.linspace(0.5, 1, 160)).astype(np.uint8)) is None
    noise = np.random.default_rng(0).normal(0, 15, gray.shape)
    assert global_threshold((gray + noise).clip(0, 255).astype(np.uint8)) is None


@pytest.mark.parametrize("contrast", [CLASSICAL.min_contrast - 1, CLASSICAL.min_contrast])
def test_the_lowest_contrast(contrast: int) -> None:
    gray = _picture(150 - contrast, 150)
    if contrast < CLASSICAL.min_contrast:
        with pytest.raises(InputError, match="no digit in the picture"):
            global_threshold(gray)
    else:
        assert global_threshold(gray) is not None
