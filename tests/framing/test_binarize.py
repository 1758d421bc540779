"""Thresholds and noise estimation on pictures with a known foreground."""

import numpy as np
import pytest
from skimage import filters

from mnist_cli.arrays import Gray, Mask
from mnist_cli.errors import InputError
from mnist_cli.framing.binarize import adaptive_threshold, global_threshold, noise_sigma
from mnist_cli.framing.normalize import MIN_CONTRAST
from mnist_cli.framing.threshold import CLEAN_THRESHOLD, NOISY_THRESHOLD

STROKES = np.zeros((120, 160), bool)
STROKES[20:100, 60:72] = STROKES[52:62, 60:130] = True


def _picture(ink: float, paper: float) -> Gray:
    return np.where(STROKES, ink, paper).astype(np.uint8)


def _overlap(one: Mask, other: Mask) -> float:
    """Intersection over union."""
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (40, 90), (230, 120), (255, 3)])
def test_global_threshold(ink: int, paper: int) -> None:
    gray = _picture(ink, paper)
    gray[10:14, 10:14] = (ink + paper) // 2
    foreground = global_threshold(gray)
    assert foreground is not None
    np.testing.assert_array_equal(foreground[STROKES], 255)
    assert 0 < foreground[12, 12] < 255
    otsu = gray > filters.threshold_otsu(gray)
    np.testing.assert_array_equal((foreground > CLEAN_THRESHOLD)[20:], otsu[20:] ^ (ink < paper))


def test_global_threshold_leaves_uneven_light_and_noise_to_the_adaptive_one() -> None:
    gray = _picture(30, 220)
    assert global_threshold((gray * np.linspace(0.5, 1, 160)).astype(np.uint8)) is None
    noise = np.random.default_rng(0).normal(0, 15, gray.shape)
    assert global_threshold((gray + noise).clip(0, 255).astype(np.uint8)) is None


@pytest.mark.parametrize("contrast", [MIN_CONTRAST - 1, MIN_CONTRAST])
def test_the_lowest_contrast(contrast: int) -> None:
    gray = _picture(150 - contrast, 150)
    if contrast < MIN_CONTRAST:
        with pytest.raises(InputError, match="no digit in the picture"):
            global_threshold(gray)
    else:
        assert global_threshold(gray) is not None


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("noise", [0, 8, 20])
def test_adaptive_threshold(noise: float, invert: bool) -> None:
    light = np.linspace(0.4, 1, 160) * np.linspace(0.8, 1, 120)[:, np.newaxis]
    picture = _picture(60, 220) * light + np.random.default_rng(0).normal(0, noise, STROKES.shape)
    gray = picture.clip(0, 255).astype(np.uint8)
    foreground = adaptive_threshold(255 - gray if invert else gray)
    assert _overlap(foreground > NOISY_THRESHOLD, STROKES) > 0.9
    # One threshold for the whole picture cannot separate them.
    assert _overlap(gray <= filters.threshold_otsu(gray), STROKES) < 0.9


@pytest.mark.parametrize("sigma", [2, 5, 12])
def test_noise_sigma(sigma: float) -> None:
    noise = np.random.default_rng(0).normal(0, sigma, STROKES.shape)
    for picture in (np.full(STROKES.shape, 128.0), _picture(60, 190)):
        noisy = (picture + noise).round().astype(np.uint8)
        assert noise_sigma(noisy) == pytest.approx(sigma, rel=0.15)
    assert noise_sigma(_picture(60, 190)) == 0
