"""Pictures with inverted stripes."""

import numpy as np
import pytest

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.stripes import undo_inverted_stripes

PLAIN = np.full((90, 120), 235, np.uint8)
PLAIN[20:70, 30:40] = PLAIN[40:48, 30:90] = 20


@pytest.mark.parametrize(
    "stripe",
    [np.s_[:, 60:], np.s_[:, 50:75], np.s_[45:, :], np.s_[20:50, :]],
    ids=str,
)
def test_inverted_stripes(stripe: tuple[slice, ...]) -> None:
    striped = PLAIN.copy()
    striped[stripe] = 255 - striped[stripe]
    restored = undo_inverted_stripes(striped)
    assert any(np.array_equal(restored, plain) for plain in (PLAIN, 255 - PLAIN))


def test_pictures_without_stripes_stay(digits: Gray) -> None:
    shadow = (PLAIN * np.where(np.arange(120) < 60, 0.7, 1)).astype(np.uint8)
    corner = PLAIN.copy()
    corner[50:, 60:] = 255 - corner[50:, 60:]
    for gray in (PLAIN, 255 - PLAIN, shadow, corner, *digits[::100]):
        assert undo_inverted_stripes(gray) is gray
