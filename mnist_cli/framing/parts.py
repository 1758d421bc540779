"""Which parts of the ink are the digit: not ruled lines, frames, dirt and what the border cuts."""

import numpy as np
import numpy.typing as npt

from mnist_cli.arrays import Gray, Indices, Mask
from mnist_cli.framing.components import Components, components
from mnist_cli.framing.morphology import dilate
from mnist_cli.framing.normalize import blank, bounding_box
from mnist_cli.framing.stroke_width import mean_stroke_width

# A part this near the digit, as a fraction of the digit's longest side, belongs to it.
NEAR = 0.2
# A part of this much of the height and the area of the main one may be another digit: a 1 has far
# less ink than the 0 beside it.
ALIKE_HEIGHT, ALIKE_AREA = 0.5, 0.25
# What is thinner than this, of its height, is a line.
LINE_WIDTH = 0.1
# A part is dirt below this fraction of the area of the largest.
DIRT = 0.02
# A part with so much less ink on its area than the largest is printed on the paper.
PALE = 0.6
# Of so many parts, the largest, any may be the frame of a form cell.
FRAMES = 32
# In a digit of fewer pixels parts come from its few pixels.
SMALL = 16
STRIPS = 12
# A line is no thicker than this, of the longer side of the picture: strokes that fill it are.
THICKEST = 0.06
# The part of the strips that a line fills.
FILLED = 0.75
# More line than so many times the longest side of the digit is no digit's: most have 2, none 6.
TEXTURE = 9
# Of ruled lines: a camera is held a little aslant.
SLOPES = np.arange(-8, 9) / 120


def may_be_several(mask: Mask) -> bool:
    """Whether ink, cropped, may be of several parts, or a frame: a quick look that misses none."""
    if max(mask.shape) < SMALL:
        return False
    if not (mask.any(axis=0).all() and mask.any(axis=1).all()):
        return True
    if np.count_nonzero(mask) > 0.6 * mask.size:
        return False
    # As bytes, which are searched sooner than NumPy is called.
    edges = [edge.tobytes() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]
    full = [edge for edge in edges if edge.count(1) > 0.6 * len(edge)]
    # Each run of ink begins and ends once: two runs at most are strokes, more are dirt or squares.
    return len(full) >= 2 or any(edge.count(b"\0\1") + edge.count(b"\1\0") > 4 for edge in edges)


def digit(ink: Gray, seen: int) -> Mask:
    """Where the digit is, bool [H, W].

    Args:
        ink: the ink, 0 to 255 [H, W], with all else that is on the paper.
        seen: ink of more than this counts.

    Raises:
        InputError: there is nothing but lines that the border cuts off.
    """
    mask = ink > seen
    ruled = lines(mask)
    if ruled is not None:
        found = components(mask & ~ruled)
        near = dilate(ruled)
        top, left, bottom, right = found.boxes.T
        shorter, longer = np.sort([bottom - top, right - left], axis=0)
        # What is left of a form are the sides of its cells, from line to line.
        sides = (found.touches | (found.sums(near) > 0)) & (shorter < LINE_WIDTH * longer)
        if sides.all() and components(mask).touches.all():
            raise blank()
        if sides.any():
            found = components(found.mask(~sides))
        touched = found.touches | (found.sums(near) > 0)
        # What reaches the border without the lines is no digit on ruled paper, but one whose own
        # strokes fill the picture.
        if found.count and not found.touches[chosen := _chosen(found, ink, touched)].any():
            return found.mask(chosen)
    found = components(mask)
    return found.mask(_chosen(found, ink, found.touches)) if found.count > 1 else mask


def is_texture(mask: Mask, found: Mask) -> bool:
    """Whether the ink, of which some was found to be the digit [H, W], is a texture.

    It goes on beyond all four sides of the picture, and there is more line than in any digit: a
    digit that was found there is one of its meshes.
    """
    if not all(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])):
        return False
    side = max(part.stop - part.start for part in bounding_box(found))
    # Ruled lines are no texture.
    ruled = lines(mask)
    rest = mask if ruled is None else mask & ~ruled
    length = np.count_nonzero(rest) / max(mean_stroke_width(rest), 1)
    return bool(length > TEXTURE * max(side, SMALL))


def _chosen(found: Components, ink: Gray, touches: Mask) -> Mask:
    """Which of the components [count] are the digit, knowing which of them something cuts off."""
    height, width = found.shape
    top, left, bottom, right = found.boxes.T
    tall, wide = bottom - top, right - left
    area = found.areas
    full = found.sums(ink) / area
    hollow = frames(found.boxes, area)
    # Far from the middle, and at the border most of all, is what belongs to the neighbours.
    away = np.hypot((top + bottom) / height - 1, (left + right) / width - 1) / np.sqrt(2)
    score = area * np.maximum(tall, wide) * (1 - 0.6 * away)
    score = score * np.where(touches, 0.15, 1.0) * np.where(hollow, 0.02, 1.0) * full
    # What lies along so much of the border is a shadow.
    score = score * np.where(found.contacts > (height + width) / 2, 0.2, 1.0)
    main = int(score.argmax())
    able = (area >= DIRT * area[main]) & (full >= PALE * full[main]) & ~hollow
    if not touches[main]:
        able &= ~touches
    # What is as large is not passed over, wherever it is: of two digits neither is the digit.
    chosen: Mask = able & (tall >= ALIKE_HEIGHT * tall[main]) & (area >= ALIKE_AREA * area[main])
    chosen &= wide >= LINE_WIDTH * tall
    chosen[main] = True
    while True:
        boxes = found.boxes[chosen]
        box = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
        reach = 1 + NEAR * max(box[2] - box[0], box[3] - box[1])
        down = np.maximum(np.maximum(top - box[2], box[0] - bottom), 0)
        across = np.maximum(np.maximum(left - box[3], box[1] - right), 0)
        joins = able & ~chosen & (np.hypot(down, across) <= reach)
        if not joins.any():
            return chosen
        chosen |= joins


def frames(boxes: Indices, areas: npt.NDArray[np.float64]) -> Mask:
    """Which parts, with boxes [N, 4], are the frames of form cells: thin, and around something."""
    top, left, bottom, right = boxes.T
    tall, wide = bottom - top, right - left
    # Each is compared with each: not the thousands of specks of a texture.
    largest = np.argsort(-tall * wide, kind="stable")[:FRAMES]
    framing: Mask = np.zeros(len(boxes), bool)
    for part in largest:
        inside = (top[part] < top) & (left[part] < left)
        inside &= (bottom[part] > bottom) & (right[part] > right) & (tall > 0.3 * tall[part])
        framing[part] = areas[part] < 0.3 * tall[part] * wide[part] and inside.any()
    return framing


def lines(mask: Mask) -> Mask | None:
    """The straight lines from border to border, as on ruled and squared paper, if there are any."""
    across, down = _across(mask), _across(mask.T).T
    if not (across.any() or down.any()):
        return None
    strokes = mask & ~across & ~down
    return ~(_crossed(strokes, across) & _crossed(strokes.T, down.T).T)


def _across(mask: Mask) -> Mask:
    """The pixels of thin lines that run from side to side, level but for a small slope.

    A Radon transform for a few slopes: in most of STRIPS strips a line fills a row nearly whole,
    though a stroke may hide it in some.
    """
    height, width = mask.shape
    line = np.zeros_like(mask)
    if min(height, width) < 2 * STRIPS:
        return line
    starts = np.arange(STRIPS) * width // STRIPS
    ends = np.append(starts[1:], width)
    filled = np.add.reduceat(mask, starts, axis=1, dtype=np.int32) >= 0.6 * (ends - starts)
    if np.count_nonzero(filled.any(axis=0)) < FILLED * STRIPS:
        return line
    rise = np.round(np.outer(SLOPES, (starts + ends - width) / 2)).astype(int)
    at = np.arange(height)[:, np.newaxis] + rise[:, np.newaxis]
    inside = (at >= 0) & (at < height)
    hits = filled[np.clip(at, 0, height - 1), np.arange(STRIPS)] & inside
    # Strokes of a digit in a tight crop are as long, but at one of their ends they stop earlier.
    on = hits | ~inside
    whole = on[..., :2].any(axis=2) & on[..., -2:].any(axis=2)
    for slope, row in np.argwhere(whole & (hits.sum(axis=2) >= FILLED * STRIPS)):
        path = row + np.round(SLOPES[slope] * (np.arange(width) - width / 2)).astype(int)
        columns = np.flatnonzero((path >= 0) & (path < height))
        line[path[columns], columns] = True
    found = components(line & mask)
    thickness = found.areas / (found.boxes[:, 3] - found.boxes[:, 1])
    return found.mask(thickness <= THICKEST * max(mask.shape))


def _crossed(strokes: Mask, line: Mask) -> Mask:
    """All but the pixels of level lines; yet those that a stroke crosses, ink above and below."""
    above, below = strokes.copy(), strokes.copy()
    thickest = int(line.sum(axis=0).max())
    for _ in range(min(thickest, 12)):
        above[1:] |= above[:-1] & line[1:]
        below[:-1] |= below[1:] & line[:-1]
    return ~line | (above & below)
