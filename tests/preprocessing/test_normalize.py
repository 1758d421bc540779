"""Scaling and centring against SciPy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from skimage import transform

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.geometry import bounding_box
from mnist_cli.preprocessing.normalize import (
    centre_on_28x28,
    fit_to_20x20,
    is_mnist_normalized,
)


def _foreground(shape: tuple[int, int]) -> Gray:
    """A smooth blob that touches all sides."""
    noise = ndimage.gaussian_filter(np.random.default_rng(0).random(shape), min(shape) / 8)
    foreground: Gray = (255 * (noise - noise.min()) / np.ptp(noise)).astype(np.uint8)
    foreground[0] = foreground[-1] = foreground[:, 0] = foreground[:, -1] = 128
    return foreground


@pytest.mark.parametrize("shape", [(100, 60), (35, 90), (20, 20), (12, 5)])
def test_fit_to_20x20(shape: tuple[int, int]) -> None:
    foreground = _foreground(shape)
    fitted = fit_to_20x20(foreground)
    assert max(fitted.shape) == 20 and fitted.max() == 255
    assert min(fitted.shape) == round(20 * min(shape) / max(shape))
    expected = transform.resize(foreground, fitted.shape, order=3, preserve_range=True)
    expected *= 255 / expected.max()
    assert np.abs(fitted - expected).mean() < 6


def test_a_line_keeps_its_strength() -> None:
    assert fit_to_20x20(np.full((400, 2), 255, np.uint8)).shape == (20, 1)
    thin = np.zeros((200, 200), np.uint8)
    thin[::199] = thin[:, ::199] = 255
    assert fit_to_20x20(thin).max() == 255


@pytest.mark.parametrize("shape", [(20, 20), (20, 7), (11, 20), (1, 20)])
def test_centre_on_28x28(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        foreground = rng.integers(0, 256, shape, np.uint8)
        foreground[0, 0] = foreground[-1, -1] = 1
        canvas = centre_on_28x28(foreground)
        assert canvas.shape == (28, 28) and canvas.dtype == np.uint8
        np.testing.assert_array_equal(canvas[bounding_box(canvas > 0)], foreground)
        centre = np.array(ndimage.center_of_mass(canvas))
        assert (centre >= 13.5 - 1e-9).all() and (centre < 14.5).all()


def test_lopsided_foreground_stays_on_the_canvas() -> None:
    foreground = np.zeros((20, 20), np.uint8)
    foreground[:, :2], foreground[10, :] = 255, 1
    canvas = centre_on_28x28(foreground)
    rows, columns = bounding_box(canvas > 0)
    assert (rows, columns) == (slice(5, 25), slice(8, 28))


def test_is_mnist_normalized(digits: Gray) -> None:
    for digit in digits[::100]:
        assert is_mnist_normalized(digit)
        assert not is_mnist_normalized(255 - digit)
        assert not is_mnist_normalized(np.pad(digit, 1, constant_values=255))
        middle = centre_on_28x28(255 - digit[bounding_box(digit < 255)])
        assert not is_mnist_normalized(255 - np.roll(middle, 2, 0))
    assert not is_mnist_normalized(np.full((28, 28), 255, np.uint8))
