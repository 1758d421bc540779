"""Which parts of the ink are the digit: not ruled lines, frames, dirt and what the border cuts."""

import numpy as np

from mnist_cli.arrays import Gray, Mask
from mnist_cli.framing.components import Components, connected_components
from mnist_cli.framing.morphology import dilate
from mnist_cli.framing.normalize import blank, bounding_box
from mnist_cli.framing.ruled_lines import form_cells, ruled_line_mask
from mnist_cli.framing.stroke_width import mean_stroke_width

# A part this near the digit, as a fraction of the digit's longest side, belongs to it.
MAX_GAP = 0.2
# A part of this much of the height and the area of the main one may be another digit: a 1 has far
# less ink than the 0 beside it.
MIN_PEER_HEIGHT, MIN_PEER_AREA = 0.5, 0.25
# What is thinner than this, of its height, is a line.
MAX_LINE_ASPECT = 0.1
# A part is dirt below this fraction of the area of the largest.
MIN_AREA = 0.02
# A part with so much less ink on its area than the largest is printed on the paper.
MIN_STRENGTH = 0.6
# In a digit of fewer pixels parts come from its few pixels.
MIN_SIDE_PX = 16
# More line than so many times the longest side of the digit is no digit's: most have 2, none 6.
MAX_STROKE_LENGTH = 9


def needs_selection(mask: Mask) -> bool:
    """Whether ink, cropped, may be of several parts, or a frame: a quick look that misses none."""
    if max(mask.shape) < MIN_SIDE_PX:
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


def digit_mask(foreground: Gray, threshold: int) -> Mask:
    """Where the digit is, bool [H, W].

    Args:
        foreground: the ink, 0 to 255 [H, W], with all else that is on the paper.
        threshold: ink of more than this counts.

    Raises:
        InputError: there is nothing but lines that the border cuts off.
    """
    mask = foreground > threshold
    ruled = ruled_line_mask(mask)
    if ruled is not None:
        components = connected_components(mask & ~ruled)
        near = dilate(ruled)
        top, left, bottom, right = components.boxes.T
        shorter, longer = np.sort([bottom - top, right - left], axis=0)
        # What is left of a form are the sides of its cells, from line to line.
        clipped = components.touches_border | (components.sums(near) > 0)
        is_cell_side = clipped & (shorter < MAX_LINE_ASPECT * longer)
        if is_cell_side.all() and connected_components(mask).touches_border.all():
            raise blank()
        if is_cell_side.any():
            components = connected_components(components.mask(~is_cell_side))
            clipped = components.touches_border | (components.sums(near) > 0)
        # What reaches the border without the lines is no digit on ruled paper, but one whose own
        # strokes fill the picture.
        if components.count:
            selected = _select_components(components, foreground, clipped)
            if not components.touches_border[selected].any():
                return components.mask(selected)
    components = connected_components(mask)
    if components.count <= 1:
        return mask
    return components.mask(_select_components(components, foreground, components.touches_border))


def is_texture(mask: Mask, digit: Mask) -> bool:
    """Whether the ink, of which some was found to be the digit [H, W], is a texture.

    It goes on beyond all four sides of the picture, and there is more line than in any digit: a
    digit that was found there is one of its meshes.
    """
    if not all(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])):
        return False
    side = max(part.stop - part.start for part in bounding_box(digit))
    # Ruled lines are no texture.
    ruled = ruled_line_mask(mask)
    rest = mask if ruled is None else mask & ~ruled
    length = np.count_nonzero(rest) / max(mean_stroke_width(rest), 1)
    return bool(length > MAX_STROKE_LENGTH * max(side, MIN_SIDE_PX))


def _select_components(components: Components, foreground: Gray, clipped: Mask) -> Mask:
    """Which of the components [count] are the digit, knowing which of them something cuts off."""
    picture_height, picture_width = components.shape
    top, left, bottom, right = components.boxes.T
    height, width = bottom - top, right - left
    area = components.areas
    strength = components.sums(foreground) / area
    is_cell = form_cells(components.boxes, area)
    # Far from the middle, and at the border most of all, is what belongs to the neighbours.
    offset_y, offset_x = (top + bottom) / picture_height - 1, (left + right) / picture_width - 1
    distance = np.hypot(offset_y, offset_x) / np.sqrt(2)
    score = area * np.maximum(height, width) * (1 - 0.6 * distance)
    score = score * np.where(clipped, 0.15, 1.0) * np.where(is_cell, 0.02, 1.0) * strength
    # What lies along so much of the border is a shadow.
    score = score * np.where(
        components.border_pixels > (picture_height + picture_width) / 2, 0.2, 1.0
    )
    main = int(score.argmax())
    eligible = (
        (area >= MIN_AREA * area[main]) & (strength >= MIN_STRENGTH * strength[main]) & ~is_cell
    )
    if not clipped[main]:
        eligible &= ~clipped
    # What is as large is not passed over, wherever it is: of two digits neither is the digit.
    selected: Mask = (
        eligible & (height >= MIN_PEER_HEIGHT * height[main]) & (area >= MIN_PEER_AREA * area[main])
    )
    selected &= width >= MAX_LINE_ASPECT * height
    selected[main] = True
    while True:
        boxes = components.boxes[selected]
        box = np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])
        max_gap = 1 + MAX_GAP * max(box[2] - box[0], box[3] - box[1])
        gap_y = np.maximum(np.maximum(top - box[2], box[0] - bottom), 0)
        gap_x = np.maximum(np.maximum(left - box[3], box[1] - right), 0)
        joined = eligible & ~selected & (np.hypot(gap_y, gap_x) <= max_gap)
        if not joined.any():
            return selected
        selected |= joined
