"""Regions and lines of text on drawings."""

import numpy as np
import pytest

from mnist_cli.errors import InputError
from mnist_cli.framing.errors import MAX_COMPONENTS
from mnist_cli.framing.layout import Region, find_regions, text_lines


def test_regions_of_a_page() -> None:
    mask = np.zeros((120, 200), bool)
    mask[20:60, 20:40] = True
    mask[20:40, 60:80] = mask[44:60, 60:80] = True  # two parts, one above the other
    mask[38:42, 90:110] = True  # a dash
    mask[70:110, 20:45] = True
    labels, regions = find_regions(mask)
    boxes = sorted((region.top, region.left, region.bottom, region.right) for region in regions)
    assert boxes == [(20, 20, 60, 40), (20, 60, 60, 80), (70, 20, 110, 45)]
    for region in regions:
        assert (labels[region.slices] == region.label).sum() == mask[region.slices].sum()
    lines = [[region.left for region in line] for line in text_lines(regions)]
    assert lines == [[20, 60], [20]]


def test_lines_follow_a_slope() -> None:
    def region(left: int, top: int) -> Region:
        return Region(0, 0, top, left, top + 40, left + 20)

    falling = [region(30 * index, 12 * index) for index in range(10)]
    below = [region(30 * index, 12 * index + 60) for index in range(10)]
    mixed = np.random.default_rng(0).permutation(20)
    shuffled = [(falling + below)[index] for index in mixed]
    assert text_lines(shuffled) == [falling, below]


def test_nothing_and_too_much() -> None:
    with pytest.raises(InputError, match="no digit in the picture"):
        find_regions(np.zeros((50, 50), bool))
    specks = np.zeros((200, 200), bool)
    specks[::4, ::4] = True
    assert specks.sum() > MAX_COMPONENTS
    with pytest.raises(InputError, match="crop it to the digits"):
        find_regions(specks)
