"""Stroke widths against drawings of known width and scikit-image's perimeter."""

import math

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage
from skimage import measure

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.geometry import bounding_box
from mnist_cli.preprocessing.parameters import CLASSICAL
from mnist_cli.preprocessing.stroke_width import (
    mean_stroke_width,
    thicken_thin_strokes,
)


def _star(width: int) -> Gray:
    """Lines in sixteen directions, so that all directions are equally frequent."""
    image = Image.new("L", (900, 900))
    draw = ImageDraw.Draw(image)
    for index in range(16):
        angle = math.pi * index / 16
        x, y = 50 + 260 * (index % 4), 50 + 260 * (index // 4)
        end = (x + 180 * abs(math.cos(angle)), y + 180 * math.sin(angle))
        draw.line([(x, y), end], 255, width)
    return np.asarray(image)


@pytest.mark.parametrize("width", [3, 5, 9, 14])
def test_lines_of_known_width(width: int) -> None:
    assert mean_stroke_width(_star(width) > 127) == pytest.approx(width, rel=0.12)


@pytest.mark.parametrize("width", [3, 9])
def test_the_perimeter_of_crofton(width: int) -> None:
    mask = _star(width) > 127
    expected = 2 * mask.sum() / measure.perimeter_crofton(mask)
    assert mean_stroke_width(mask) == pytest.approx(expected, rel=0.08)


def test_an_empty_mask_has_no_width() -> None:
    assert mean_stroke_width(np.zeros((4, 4), bool)) == 0


@pytest.mark.parametrize("width", [1, 2, 4, 8])
def test_thin_strokes_reach_the_target(width: int) -> None:
    image = Image.new("L", (240, 240))
    ImageDraw.Draw(image).line([(60, 40), (180, 40), (90, 200)], 255, width)
    foreground = np.asarray(image)
    foreground = foreground[bounding_box(foreground > 0)]
    thick = thicken_thin_strokes(foreground)
    # Twice the distance to the background is the width in the middle of a stroke.
    widest = 2 * ndimage.distance_transform_edt(np.pad(thick > 127, 1)).max()
    assert (
        CLASSICAL.min_stroke_width < widest / max(thick.shape) < 1.6 * CLASSICAL.target_stroke_width
    )
    assert thick.max() == 255


def test_bold_strokes_stay() -> None:
    bold = np.full((50, 10), 255, np.uint8)
    assert thicken_thin_strokes(bold) is bold
