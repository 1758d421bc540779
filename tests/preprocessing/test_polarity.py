"""Polarity of digits on a plain background."""

import numpy as np
import pytest

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.polarity import is_light_on_dark


@pytest.mark.parametrize("margin", [0, 30])
def test_polarity(digits: Gray, margin: int) -> None:
    for digit in digits[::200]:
        dark = np.pad(digit, margin, constant_values=255)
        assert is_light_on_dark(dark < 128)
        assert not is_light_on_dark(dark >= 128)
