"""The parts of a page that may be digits, and the lines that they are in."""

from typing import NamedTuple

import numpy as np

from mnist_cli.arrays import Indices, Mask
from mnist_cli.errors import InputError
from mnist_cli.framing.components import Components, connected_components, merge_labels
from mnist_cli.framing.normalize import blank
from mnist_cli.framing.ruled_lines import form_cells, ruled_line_mask

# More than this many parts are texture, or a page of text.
MAX_COMPONENTS = 1000
# As fractions of the height of digits: what is lower is a dash or a dot, what is higher no digit.
MIN_HEIGHT, MAX_HEIGHT = 0.35, 2.5
# The same for what the border cuts off.
MIN_CLIPPED_HEIGHT, MAX_CLIPPED_HEIGHT = 0.6, 1.5
# Less ink than this on the square of the height is dirt.
MIN_AREA = 0.005
# Parts of one digit one above the other are no further apart than this, and no higher together.
MAX_STACKED_GAP, MAX_STACKED_HEIGHT = 0.25, 1.3


class Region(NamedTuple):
    """A connected part of the ink, or several that are one above the other, or a piece of them."""

    label: int
    parent: int
    """The number of the part that it is a piece of, or its own."""
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
    """What may be digits in a mask [H, W]: the part of each pixel, or -1, and the parts.

    Raises:
        InputError: there are none, or too many.
    """
    if ruled_line_mask(mask) is not None:
        # The sides of cells that are whole would be taken for ruled lines, and leave strokes.
        components = connected_components(mask)
        is_cell = form_cells(components.boxes, components.areas) & ~components.touches_border
        mask = mask & ~components.mask(is_cell)
    ruled = ruled_line_mask(mask)
    if ruled is not None:
        components = connected_components(mask & ~ruled)
        selected = _select_components(components)
        # Else these are no ruled lines, but strokes of digits that fill the picture.
        if (selected & ~components.touches_border).any():
            return _merge_stacked(components, selected)
    components = connected_components(mask)
    return _merge_stacked(components, _select_components(components))


def too_many_components() -> InputError:
    return InputError(
        f"more than {MAX_COMPONENTS:,} parts in the picture: cut out the lines with digits"
    )


def _select_components(components: Components) -> Mask:
    """Which of the components [count] are digits, or parts of them."""
    if components.count > MAX_COMPONENTS:
        raise too_many_components()
    boxes, areas, clipped = components.boxes, components.areas, components.touches_border
    height = boxes[:, 2] - boxes[:, 0]
    width = boxes[:, 3] - boxes[:, 1]
    is_cell = form_cells(boxes, areas)
    typical = _typical_height(height[~is_cell & ~clipped]) or _typical_height(height[~is_cell])
    # The cells of a form that are empty.
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
    """The height of which parts with half of the squares of all heights [N] are; 0 for none."""
    ordered = np.sort(height)
    squares = (ordered**2).cumsum()
    return int(ordered[squares.searchsorted(squares[-1] / 2)]) if len(height) else 0


def _merge_stacked(components: Components, selected: Mask) -> tuple[Indices, list[Region]]:
    """Join the parts of digits that are one above the other, or one inside the other."""
    if not selected.any():
        raise blank()
    boxes = components.boxes[selected]
    top, left, bottom, right = boxes.T
    height, width = bottom - top, right - left
    typical = _typical_height(height)

    def overlap(start: Indices, stop: Indices) -> Indices:
        """By how much any two overlap [N, N]; negative for a gap."""
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
    """Sort parts into lines: each goes on with the line whose end is beside it."""
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
