"""Background estimation on pictures with a known background."""

import numpy as np
import pytest

from mnist_cli.framing.background import border, border_contrast, estimate_background

ROWS, COLUMNS = np.mgrid[:120, :160].astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (200, 90)])
def test_a_constant_background(shape: tuple[int, int]) -> None:
    level = np.full(shape, 173, np.float32)
    np.testing.assert_allclose(estimate_background(level, np.ones_like(level)), level, atol=1e-3)
    np.testing.assert_allclose(estimate_background(level, np.zeros_like(level)), 0, atol=1e-3)


def test_uneven_light_under_strokes() -> None:
    background = 100 + 0.5 * COLUMNS + 0.3 * ROWS
    strokes = np.zeros(background.shape, bool)
    strokes[20:100, 70:85] = strokes[50:62, 20:140] = True
    level = np.where(strokes, 10, background).astype(np.float32)
    found = estimate_background(level, (~strokes).astype(np.float32))
    assert np.abs(found - background).max() < 8
    with_strokes = estimate_background(level, np.ones_like(level))
    assert np.abs(with_strokes - background).max() > 40


def test_border() -> None:
    gray = np.random.default_rng(0).integers(60, 200, (9, 14), np.uint8)
    gray[1:-1, 1:-1] = 255
    assert len(border(gray)) == gray.size - gray[1:-1, 1:-1].size
    outermost = gray[gray < 255]
    np.testing.assert_array_equal(np.sort(border(gray)), np.sort(outermost))
    assert border_contrast(gray) == np.ptp(outermost)
