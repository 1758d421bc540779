"""Ruled lines and form cells on drawings."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage import measure

from mnist_cli.framing.components import connected_components
from mnist_cli.framing.ruled_lines import form_cells, ruled_line_mask


@pytest.mark.parametrize("slope", [-0.03, 0, 0.02])
@pytest.mark.parametrize("vertical", [False, True])
def test_ruled_lines(slope: float, vertical: bool) -> None:
    image, digit = Image.new("1", (200, 180)), Image.new("1", (200, 180))
    for y in (30, 90, 150):
        ImageDraw.Draw(image).line([(0, y), (199, y + 199 * slope)], 1, 3)
    ImageDraw.Draw(digit).line([(60, 50), (130, 50), (90, 130)], 1, 9)
    lines, strokes = np.asarray(image), np.asarray(digit)
    if vertical:
        lines, strokes = lines.T, strokes.T
    found = ruled_line_mask(lines | strokes)
    assert found is not None
    beside = lines & ~ndimage.binary_dilation(strokes, np.ones((5, 5)))
    assert found[beside].mean() > 0.9
    assert not found[~lines].any()
    assert measure.label(strokes & ~found).max() == 1


def test_no_lines() -> None:
    image = Image.new("1", (200, 180))
    ImageDraw.Draw(image).line([(60, 50), (130, 50), (90, 130)], 1, 9)
    assert ruled_line_mask(np.asarray(image)) is None
    assert ruled_line_mask(np.zeros((10, 10), bool)) is None


def test_form_cells() -> None:
    image = Image.new("1", (300, 100))
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 10, 80, 90), outline=1, width=2)
    draw.line([(30, 30), (60, 30), (40, 70)], 1, 6)
    draw.ellipse((120, 20, 170, 80), outline=1, width=12)  # a zero
    draw.rectangle((200, 10, 280, 90), outline=1, width=2)  # an empty cell
    components = connected_components(np.asarray(image))
    left = components.boxes[:, 1]
    cells = form_cells(components.boxes, components.areas)
    np.testing.assert_array_equal(left[cells], [10])
