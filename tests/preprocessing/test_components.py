"""Connected components against SciPy and scikit-image."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import coo_array, csgraph
from skimage import measure

from mnist_cli.arrays import Mask
from mnist_cli.preprocessing.components import _merge_labels, connected_components

SHAPES = [(1, 1), (1, 30), (30, 1), (2, 2), (13, 17), (40, 33), (64, 90)]
DENSITIES = [0.0, 0.1, 0.35, 0.6, 0.9, 1.0]


def _masks() -> list[Mask]:
    rng = np.random.default_rng(0)
    return [rng.random(shape) < density for shape in SHAPES for density in DENSITIES]


masks = pytest.mark.parametrize("mask", _masks(), ids=lambda mask: f"{mask.shape}, {mask.sum()}")


@masks
def test_properties(mask: Mask) -> None:
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    regions = measure.regionprops(labels)
    components = connected_components(mask)
    assert components.count == count
    np.testing.assert_array_equal(components.areas, [region.area for region in regions])
    boxes = np.array([region.bbox for region in regions]).reshape(-1, 4)
    np.testing.assert_array_equal(components.boxes, boxes)
    for selected in (np.arange(count) % 2 == 0, np.zeros(count, bool), np.ones(count, bool)):
        expected = np.isin(labels, 1 + np.flatnonzero(selected))
        np.testing.assert_array_equal(components.mask(selected), expected)


def test_merge_labels() -> None:
    rng = np.random.default_rng(0)
    for count, pairs in ((1, 0), (10, 4), (100, 60), (500, 2000)):
        one, other = rng.integers(0, count, (2, pairs))
        graph = coo_array((np.ones(pairs), (one, other)), (count, count))
        groups = csgraph.connected_components(graph, directed=False)[1]
        lowest = [int(np.flatnonzero(groups == group)[0]) for group in groups]
        np.testing.assert_array_equal(_merge_labels(count, one, other), lowest)
