"""Detects ruled lines and the cells of forms."""

import numpy as np
import numpy.typing as npt

from mnist_cli.arrays import Indices, Mask
from mnist_cli.framing.components import connected_components

# Only this many of the largest components can be cells: all pairs of them are compared.
MAX_CELL_CANDIDATES = 32
# Vertical strips in which a line is searched.
STRIP_COUNT = 12
# Fraction of the longer side of the picture; strokes of a digit that fills it are thicker.
MAX_LINE_THICKNESS = 0.06
# Fraction of the strips that a line has to fill.
MIN_FILLED_STRIPS = 0.75
# Slopes that are searched, in pixels per pixel: photographs are rarely level.
SLOPES = np.arange(-8, 9) / 120


def form_cells(boxes: Indices, areas: npt.NDArray[np.float64]) -> Mask:
    """Detect the outlines of form cells: thin components that enclose a high one.

    Args:
        boxes: bounding boxes of components [N, 4].
        areas: their areas in pixels [N].

    Returns:
        Whether each component is a cell, bool [N].
    """
    top, left, bottom, right = boxes.T
    cell_height, cell_width = bottom - top, right - left
    largest = np.argsort(-cell_height * cell_width, kind="stable")[:MAX_CELL_CANDIDATES]
    is_cell: Mask = np.zeros(len(boxes), bool)
    for part in largest:
        inside = (top[part] < top) & (left[part] < left)
        inside &= (
            (bottom[part] > bottom)
            & (right[part] > right)
            & (cell_height > 0.3 * cell_height[part])
        )
        is_cell[part] = areas[part] < 0.3 * cell_height[part] * cell_width[part] and inside.any()
    return is_cell


def ruled_line_mask(mask: Mask) -> Mask | None:
    """Detect the straight lines of ruled and squared paper, from border to border.

    Args:
        mask: the foreground [H, W].

    Returns:
        The pixels of the lines that no stroke crosses [H, W], or None if there are no lines.
    """
    horizontal, vertical = _horizontal_lines(mask), _horizontal_lines(mask.T).T
    if not (horizontal.any() or vertical.any()):
        return None
    strokes = mask & ~horizontal & ~vertical
    return _uncrossed(strokes, horizontal) | _uncrossed(strokes.T, vertical.T).T


def _horizontal_lines(mask: Mask) -> Mask:
    """Return the pixels [H, W] of thin, nearly horizontal lines from side to side.

    This is a Radon transform for a few slopes. The picture is divided into vertical strips; a line
    almost fills a row in most of them, and strokes may hide it in the others.
    """
    height, width = mask.shape
    line = np.zeros_like(mask)
    if min(height, width) < 2 * STRIP_COUNT:
        return line
    starts = np.arange(STRIP_COUNT) * width // STRIP_COUNT
    ends = np.append(starts[1:], width)
    filled = np.add.reduceat(mask, starts, axis=1, dtype=np.int32) >= 0.6 * (ends - starts)
    if np.count_nonzero(filled.any(axis=0)) < MIN_FILLED_STRIPS * STRIP_COUNT:
        return line
    rise = np.round(np.outer(SLOPES, (starts + ends - width) / 2)).astype(int)
    rows = np.arange(height)[:, np.newaxis] + rise[:, np.newaxis]
    inside = (rows >= 0) & (rows < height)
    hits = filled[np.clip(rows, 0, height - 1), np.arange(STRIP_COUNT)] & inside
    # In a tight crop strokes may be as long, but they stop before one of the sides.
    on = hits | ~inside
    whole = on[..., :2].any(axis=2) & on[..., -2:].any(axis=2)
    for slope, row in np.argwhere(whole & (hits.sum(axis=2) >= MIN_FILLED_STRIPS * STRIP_COUNT)):
        path = row + np.round(SLOPES[slope] * (np.arange(width) - width / 2)).astype(int)
        columns = np.flatnonzero((path >= 0) & (path < height))
        line[path[columns], columns] = True
    components = connected_components(line & mask)
    thickness = components.areas / (components.boxes[:, 3] - components.boxes[:, 1])
    return components.mask(thickness <= MAX_LINE_THICKNESS * max(mask.shape))


def _uncrossed(strokes: Mask, line: Mask) -> Mask:
    """Return the pixels of horizontal lines that have no stroke directly above and below."""
    above, below = strokes.copy(), strokes.copy()
    thickest = int(line.sum(axis=0).max())
    for _ in range(min(thickest, 12)):
        above[1:] |= above[:-1] & line[1:]
        below[:-1] |= below[1:] & line[:-1]
    return line & ~(above & below)
