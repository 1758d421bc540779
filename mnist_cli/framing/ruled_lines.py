"""Ruled lines and the cells of forms."""

import numpy as np
import numpy.typing as npt

from mnist_cli.arrays import Indices, Mask
from mnist_cli.framing.components import connected_components

# Of so many parts, the largest, any may be the frame of a form cell.
MAX_CELL_CANDIDATES = 32
STRIP_COUNT = 12
# A line is no thicker than this, of the longer side of the picture: strokes that fill it are.
MAX_LINE_THICKNESS = 0.06
# The part of the strips that a line fills.
MIN_FILLED_STRIPS = 0.75
# Of ruled lines: a camera is held a little aslant.
SLOPES = np.arange(-8, 9) / 120


def form_cells(boxes: Indices, areas: npt.NDArray[np.float64]) -> Mask:
    """Which parts, with boxes [N, 4], are the frames of form cells: thin, and around something."""
    top, left, bottom, right = boxes.T
    cell_height, cell_width = bottom - top, right - left
    # Each is compared with each: not the thousands of specks of a texture.
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
    """The straight lines from border to border, as on ruled and squared paper, if there are any."""
    horizontal, vertical = _horizontal_lines(mask), _horizontal_lines(mask.T).T
    if not (horizontal.any() or vertical.any()):
        return None
    strokes = mask & ~horizontal & ~vertical
    return _uncrossed(strokes, horizontal) | _uncrossed(strokes.T, vertical.T).T


def _horizontal_lines(mask: Mask) -> Mask:
    """The pixels of thin lines that run from side to side, level but for a small slope.

    A Radon transform for a few slopes: in most of the strips a line fills a row nearly whole,
    though a stroke may hide it in some.
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
    # Strokes of a digit in a tight crop are as long, but at one of their ends they stop earlier.
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
    """The pixels of level lines that no stroke crosses, with ink above and below."""
    above, below = strokes.copy(), strokes.copy()
    thickest = int(line.sum(axis=0).max())
    for _ in range(min(thickest, 12)):
        above[1:] |= above[:-1] & line[1:]
        below[:-1] |= below[1:] & line[:-1]
    return line & ~(above & below)
