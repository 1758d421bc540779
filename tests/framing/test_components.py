"""Connected components against SciPy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import coo_array, csgraph
from skimage import measure, segmentation

from mnist_cli.arrays import Mask
from mnist_cli.framing.components import connected_components, merge_labels

SHAPES = [(1, 1), (1, 30), (30, 1), (2, 2), (13, 17), (40, 33), (64, 90)]
DENSITIES = [0.0, 0.1, 0.35, 0.6, 0.9, 1.0]


def _masks() -> list[Mask]:
    rng = np.random.default_rng(0)
    return [rng.random(shape) < density for shape in SHAPES for density in DENSITIES]


masks = pytest.mark.parametrize("mask", _masks(), ids=lambda mask: f"{mask.shape}, {mask.sum()}")


@masks
def test_labels(mask: Mask) -> None:
    expected, count = ndimage.label(mask, np.ones((3, 3)))
    components = connected_components(mask)
    assert components.count == count
    np.testing.assert_array_equal(components.label_image(np.arange(count)), expected - 1)


@masks
def test_properties(mask: Mask) -> None:
    values = np.random.default_rng(1).integers(0, 256, mask.shape, np.uint8)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    regions = measure.regionprops(labels)
    inner = segmentation.clear_border(labels)
    components = connected_components(mask)
    np.testing.assert_array_equal(components.areas, [region.area for region in regions])
    boxes = np.array([region.bbox for region in regions]).reshape(-1, 4)
    np.testing.assert_array_equal(components.boxes, boxes)
    sums = ndimage.sum_labels(values, labels, np.arange(1, count + 1))
    np.testing.assert_array_equal(components.sums(values), sums)
    at_border = [label not in inner for label in range(1, count + 1)]
    np.testing.assert_array_equal(components.touches_border, at_border)
    selected = np.arange(count) % 2 == 0
    np.testing.assert_array_equal(components.mask(selected), (labels % 2 == 1) & mask)


def test_pixels_on_the_border() -> None:
    mask = np.zeros((5, 6), bool)
    mask[0, :3] = mask[2, 2:4] = mask[2:, 5] = True
    # The corners count twice.
    np.testing.assert_array_equal(connected_components(mask).border_pixels, [4, 0, 4])


def test_merge_labels() -> None:
    rng = np.random.default_rng(0)
    for count, pairs in ((1, 0), (10, 4), (100, 60), (500, 2000)):
        one, other = rng.integers(0, count, (2, pairs))
        graph = coo_array((np.ones(pairs), (one, other)), (count, count))
        groups = csgraph.connected_components(graph, directed=False)[1]
        lowest = [int(np.flatnonzero(groups == group)[0]) for group in groups]
        np.testing.assert_array_equal(merge_labels(count, one, other), lowest)
