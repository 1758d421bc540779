"""Finds the regions of a page that may be digits, and sorts them into lines of text."""

from typing import NamedTuple

import numpy as np

from mnist_cli.arrays import Indices, Mask
from mnist_cli.framing.components import Components, connected_components, merge_labels
from mnist_cli.framing.errors import MAX_COMPONENTS, clutter_error, too_many_components_error
from mnist_cli.framing.ruled_lines import form_cells, ruled_line_mask

# Heights as fractions of the typical height of digits. Lower regions are dashes or dots.
MIN_HEIGHT, MAX_HEIGHT = 0.35, 2.5
# The same for components that the border of the picture cuts off.
MIN_CLIPPED_HEIGHT, MAX_CLIPPED_HEIGHT = 0.6, 1.5
# Fraction of the squared typical height; components of a smaller area are specks.
MIN_AREA = 0.005
# Largest gap between the parts of a digit that are one above the other, and their largest height
# together, as fractions of the typical height.
MAX_STACKED_GAP, MAX_STACKED_HEIGHT = 0.25, 1.3


class Region(NamedTuple):
    """A connected component, several that are one above the other, or a piece of them."""

    label: int
    parent: int
    """The label of the region that this is a piece of, or its own."""
    top: int
    left: int
    bottom: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def slices(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def find_regions(mask: Mask) -> tuple[Indices, list[Region]]:
    """Find the regions that may be digits.

    Args:
        mask: the foreground [H, W].

    Returns:
        The label of each pixel [H, W], which is -1 in the background, and the regions.

    Raises:
        InputError: there are no regions, or more than MAX_COMPONENTS components.
    """
    if ruled_line_mask(mask) is not None:
        # Remove whole cells first: their sides look like ruled lines, and the rest like strokes.
        components = connected_components(mask)
        is_cell = form_cells(components.boxes, components.areas) & ~components.touches_border
        mask = mask & ~components.mask(is_cell)
    ruled = ruled_line_mask(mask)
    if ruled is not None:
        components = connected_components(mask & ~ruled)
        selected = _select_components(components)
        # Otherwise the lines were strokes of digits that fill the picture.
        if (selected & ~components.touches_border).any():
            return _merge_stacked(components, selected)
    components = connected_components(mask)
    return _merge_stacked(components, _select_components(components))


def _select_components(components: Components) -> Mask:
    """Return whether each component is a digit or a part of one, bool [count]."""
    if components.count > MAX_COMPONENTS:
        raise too_many_components_error()
    boxes, areas, clipped = components.boxes, components.areas, components.touches_border
    height = boxes[:, 2] - boxes[:, 0]
    width = boxes[:, 3] - boxes[:, 1]
    is_cell = form_cells(boxes, areas)
    typical = _typical_height(height[~is_cell & ~clipped]) or _typical_height(height[~is_cell])
    # Empty cells have the size of cells with something inside.
    for cell in np.flatnonzero(is_cell):
        same_height = abs(height - height[cell]) <= 0.1 * height[cell]
        same_width = abs(width - width[cell]) <= 0.1 * width[cell]
        is_cell |= same_height & same_width & (areas < 0.3 * height * width)
    is_fragment = height < MIN_CLIPPED_HEIGHT * typical
    is_fragment |= height > MAX_CLIPPED_HEIGHT * typical
    is_large_enough = areas >= MIN_AREA * typical**2
    is_low_enough = height <= MAX_HEIGHT * typical
    return ~is_cell & ~(clipped & is_fragment) & is_large_enough & is_low_enough


def _typical_height(height: Indices) -> int:
    """Return the median height in pixels, weighted by squared height; 0 if there are no heights."""
    ordered = np.sort(height)
    squares = (ordered**2).cumsum()
    return int(ordered[squares.searchsorted(squares[-1] / 2)]) if len(height) else 0


def _merge_stacked(components: Components, selected: Mask) -> tuple[Indices, list[Region]]:
    """Merge components of a digit that are one above the other, or one inside the other."""
    if not selected.any():
        raise clutter_error()
    boxes = components.boxes[selected]
    top, left, bottom, right = boxes.T
    height, width = bottom - top, right - left
    typical = _typical_height(height)

    def overlap(start: Indices, stop: Indices) -> Indices:
        """Return the overlap of each pair in pixels [N, N]; gaps are negative."""
        return np.minimum(stop[:, None], stop) - np.maximum(start[:, None], start)

    overlap_x, overlap_y = overlap(left, right), overlap(top, bottom)
    smaller = np.minimum(height[:, None], height)
    together = height[:, None] + height - overlap_y
    within = (overlap_y == smaller) & (smaller <= 0.7 * np.maximum(height[:, None], height))
    stacked = (
        (overlap_x >= 0.5 * np.minimum(width[:, None], width))
        & (within | (overlap_y <= 0.5 * smaller))
        & (-overlap_y <= MAX_STACKED_GAP * typical)
        & (together <= MAX_STACKED_HEIGHT * typical)
    )
    merged = merge_labels(len(boxes), *np.nonzero(np.triu(stacked, 1)))
    labels = np.full(components.count, -1)
    labels[selected] = merged
    regions = []
    for label in np.unique(merged).tolist():
        own = boxes[merged == label]
        edges = [*own[:, :2].min(axis=0).tolist(), *own[:, 2:].max(axis=0).tolist()]
        regions.append(Region(label, label, *edges))
    regions = [region for region in regions if region.height >= MIN_HEIGHT * typical]
    return components.label_image(labels), regions


def text_lines(regions: list[Region]) -> list[list[Region]]:
    """Group regions into lines from top to bottom, each sorted from left to right.

    A region joins the line whose last region shares the largest fraction of its height, and more
    than half.
    """
    lines: list[list[Region]] = []
    for region in sorted(regions, key=lambda region: region.left):
        best, most = None, 0.5
        for line in lines:
            end = line[-1]
            beside = min(region.bottom, end.bottom) - max(region.top, end.top)
            share = beside / min(region.height, end.height)
            if share > most:
                best, most = line, share
        if best is None:
            lines.append(best := [])
        best.append(region)

    def middle(line: list[Region]) -> float:
        return float(np.mean([region.top + region.bottom for region in line]))

    return sorted(lines, key=middle)
