"""Bounding boxes against SciPy and areas counted in pixels."""

import numpy as np
import pytest
from scipy import ndimage

from mnist_cli.preprocessing.geometry import Box, Rectangle, bounding_box, iou


@pytest.mark.parametrize("density", [0.01, 0.1, 1.0])
def test_bounding_box(density: float) -> None:
    rng = np.random.default_rng(0)
    for shape in ((1, 1), (1, 40), (30, 20)):
        mask = rng.random(shape) < density
        mask[shape[0] // 2, shape[1] // 3] = True
        [expected] = ndimage.find_objects(mask.astype(int))
        assert bounding_box(mask) == expected


def _pixels(rectangle: Rectangle) -> frozenset[tuple[int, int]]:
    left, top, right, bottom = (int(edge) for edge in rectangle)
    return frozenset((x, y) for x in range(left, right) for y in range(top, bottom))


def test_the_intersection_counts_common_pixels() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        (left, top, width, height), (x, y, w, h) = rng.integers(1, 9, (2, 4)).tolist()
        one = Rectangle(left, top, left + width, top + height)
        other = Rectangle(x, y, x + w, y + h)
        expected = len(_pixels(one) & _pixels(other))
        assert one.intersection(other) == other.intersection(one) == expected
        union = len(_pixels(one) | _pixels(other))
        assert iou(one.rounded(), other.rounded()) == pytest.approx(expected / union)
        assert one.intersection(one) == width * height == one.width * one.height


def test_expanded_stays_inside_the_picture() -> None:
    rectangle = Rectangle(10, 3, 20, 40)
    assert rectangle.expanded(2.5, 100, 100) == (7.5, 0.5, 22.5, 42.5)
    assert rectangle.expanded(5, 22, 41) == (5, 0, 22, 41)


@pytest.mark.parametrize(
    ("rectangle", "box"),
    [
        (Rectangle(1.4, 2.6, 9.6, 5.4), Box(1, 3, 9, 2)),
        (Rectangle(0, 0, 7, 3), Box(0, 0, 7, 3)),
        (Rectangle(4.1, 4.1, 4.3, 4.4), Box(4, 4, 1, 1)),
    ],
)
def test_rounded(rectangle: Rectangle, box: Box) -> None:
    assert rectangle.rounded() == box
