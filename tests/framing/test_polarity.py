"""Polarity of digits on a plain background."""

import numpy as np
import pytest

from mnist_cli.arrays import Gray
from mnist_cli.framing.polarity import binary_is_light_on_dark, gray_is_light_on_dark


@pytest.mark.parametrize("margin", [0, 30])
def test_polarity(digits: Gray, margin: int) -> None:
    for digit in digits[::200]:
        dark = np.pad(digit, margin, constant_values=255)
        assert binary_is_light_on_dark(dark < 128)
        assert not binary_is_light_on_dark(dark >= 128)
        light = np.linspace(0.5, 1, len(dark))
        uneven = (40 + 0.8 * dark * light).astype(np.uint8)
        assert not gray_is_light_on_dark(uneven)
        assert gray_is_light_on_dark(255 - uneven)
