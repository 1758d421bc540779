"""The parts of a page that may be digits, and the lines that they are in."""

from typing import NamedTuple

import numpy as np

from mnist_cli.arrays import Indices, Mask
from mnist_cli.errors import InputError
from mnist_cli.framing.components import Components, connected_components, merge_labels
from mnist_cli.framing.normalize import blank
from mnist_cli.framing.ruled_lines import form_cells, ruled_line_mask

# More than this many parts are texture, or a page of text.
MOST_PARTS = 1000
# As fractions of the height of digits: what is lower is a dash or a dot, what is higher no digit.
LOWEST, HIGHEST = 0.35, 2.5
# The same for what the border cuts off.
CUT_LOWEST, CUT_HIGHEST = 0.6, 1.5
# Less ink than this on the square of the height is dirt.
DIRT = 0.005
# Parts of one digit one above the other are no further apart than this, and no higher together.
STACKED_GAP, STACKED_HEIGHT = 0.25, 1.3


class Part(NamedTuple):
    """A connected part of the ink, or several that are one above the other, or a piece of them."""

    number: int
    whole: int
    """The number of the part that it is a piece of, or its own."""
    top: int
    left: int
    bottom: int
    right: int

    @property
    def tall(self) -> int:
        return self.bottom - self.top

    @property
    def box(self) -> tuple[slice, slice]:
        return slice(self.top, self.bottom), slice(self.left, self.right)


def find_parts(mask: Mask) -> tuple[Indices, list[Part]]:
    """What may be digits in a mask [H, W]: the part of each pixel, or -1, and the parts.

    Raises:
        InputError: there are none, or too many.
    """
    if ruled_line_mask(mask) is not None:
        # The sides of cells that are whole would be taken for ruled lines, and leave strokes.
        components = connected_components(mask)
        cells = form_cells(components.boxes, components.areas) & ~components.touches_border
        mask = mask & ~components.mask(cells)
    ruled = ruled_line_mask(mask)
    if ruled is not None:
        components = connected_components(mask & ~ruled)
        kept = _kept(components)
        # Else these are no ruled lines, but strokes of digits that fill the picture.
        if (kept & ~components.touches_border).any():
            return _stacked(components, kept)
    components = connected_components(mask)
    return _stacked(components, _kept(components))


def too_many() -> InputError:
    return InputError(
        f"more than {MOST_PARTS:,} parts in the picture: cut out the lines with digits"
    )


def _kept(components: Components) -> Mask:
    """Which of the components [count] are digits, or parts of them."""
    if components.count > MOST_PARTS:
        raise too_many()
    boxes, areas, touches = components.boxes, components.areas, components.touches_border
    tall = boxes[:, 2] - boxes[:, 0]
    wide = boxes[:, 3] - boxes[:, 1]
    is_cell = form_cells(boxes, areas)
    usual = _usual(tall[~is_cell & ~touches]) or _usual(tall[~is_cell])
    # The cells of a form that are empty.
    for cell in np.flatnonzero(is_cell):
        alike = (abs(tall - tall[cell]) <= 0.1 * tall[cell]) & (
            abs(wide - wide[cell]) <= 0.1 * wide[cell]
        )
        is_cell |= alike & (areas < 0.3 * tall * wide)
    cut_off = touches & ((tall < CUT_LOWEST * usual) | (tall > CUT_HIGHEST * usual))
    return ~is_cell & ~cut_off & (areas >= DIRT * usual**2) & (tall <= HIGHEST * usual)


def _usual(tall: Indices) -> int:
    """The height of which parts with half of the squares of all heights [N] are; 0 for none."""
    ordered = np.sort(tall)
    squares = (ordered**2).cumsum()
    return int(ordered[squares.searchsorted(squares[-1] / 2)]) if len(tall) else 0


def _stacked(components: Components, kept: Mask) -> tuple[Indices, list[Part]]:
    """Join the parts of digits that are one above the other, or one inside the other."""
    if not kept.any():
        raise blank()
    boxes = components.boxes[kept]
    top, left, bottom, right = boxes.T
    tall, wide = bottom - top, right - left
    usual = _usual(tall)

    def overlap(start: Indices, stop: Indices) -> Indices:
        """By how much any two overlap [N, N]; negative for a gap."""
        return np.minimum(stop[:, None], stop) - np.maximum(start[:, None], start)

    across, down = overlap(left, right), overlap(top, bottom)
    lower = np.minimum(tall[:, None], tall)
    together = tall[:, None] + tall - down
    within = (down == lower) & (lower <= 0.7 * np.maximum(tall[:, None], tall))
    stacked = (
        (across >= 0.5 * np.minimum(wide[:, None], wide))
        & (within | (down <= 0.5 * lower))
        & (-down <= STACKED_GAP * usual)
        & (together <= STACKED_HEIGHT * usual)
    )
    labels = merge_labels(len(boxes), *np.nonzero(np.triu(stacked, 1)))
    numbers = np.full(components.count, -1)
    numbers[kept] = labels
    whole = []
    for label in np.unique(labels).tolist():
        own = boxes[labels == label]
        edges = [*own[:, :2].min(axis=0).tolist(), *own[:, 2:].max(axis=0).tolist()]
        whole.append(Part(label, label, *edges))
    return components.label_image(numbers), [part for part in whole if part.tall >= LOWEST * usual]


def lines(components: list[Part]) -> list[list[Part]]:
    """Sort parts into lines: each goes on with the line whose end is beside it."""
    lines: list[list[Part]] = []
    for part in sorted(components, key=lambda part: part.left):
        best, most = None, 0.5
        for line in lines:
            end = line[-1]
            beside = min(part.bottom, end.bottom) - max(part.top, end.top)
            share = beside / min(part.tall, end.tall)
            if share > most:
                best, most = line, share
        if best is None:
            lines.append(best := [])
        best.append(part)
    return sorted(lines, key=lambda line: np.mean([part.top + part.bottom for part in line]))
