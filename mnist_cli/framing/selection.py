"""Selects the connected components of the digit: no lines, cells, specks or fragments."""

import numpy as np

from mnist_cli.arrays import Gray, Mask
from mnist_cli.framing.components import Components, connected_components
from mnist_cli.framing.errors import clutter_error
from mnist_cli.framing.morphology import dilate
from mnist_cli.framing.normalize import bounding_box
from mnist_cli.framing.ruled_lines import form_cells, ruled_line_mask
from mnist_cli.framing.stroke_width import mean_stroke_width

# Distance to the digit as a fraction of its longer side; nearer components belong to it.
MAX_GAP = 0.2
# Fractions of the height and area of the main component; from these on a component may be another
# digit. The area is low because a 1 has far less ink than a 0.
MIN_PEER_HEIGHT, MIN_PEER_AREA = 0.5, 0.25
# Width of a line as a fraction of its length.
MAX_LINE_ASPECT = 0.1
# Fraction of the area of the main component; smaller components are specks.
MIN_AREA = 0.02
# Fraction of the mean foreground of the main component; paler components are printed on the paper.
MIN_STRENGTH = 0.6
# Longer side; a smaller digit may fall apart for lack of pixels, and is not searched for clutter.
MIN_SIDE_PX = 16
# Length of all strokes in longer sides of the digit. Most digits have 2, none has 6; textures have
# more.
MAX_STROKE_LENGTH = 9


def needs_selection(mask: Mask) -> bool:
    """Return whether a cropped mask [h, w] may hold several components, or a cell.

    A fast test without false negatives.
    """
    if max(mask.shape) < MIN_SIDE_PX:
        return False
    if not (mask.any(axis=0).all() and mask.any(axis=1).all()):
        return True
    if np.count_nonzero(mask) > 0.6 * mask.size:
        return False
    # Searching bytes is faster than a call of NumPy.
    edges = [edge.tobytes() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]
    full = [edge for edge in edges if edge.count(1) > 0.6 * len(edge)]
    # A run of foreground has two changes. A digit has up to two runs on an edge; specks and squared
    # paper have more.
    return len(full) >= 2 or any(edge.count(b"\0\1") + edge.count(b"\1\0") > 4 for edge in edges)


def digit_mask(foreground: Gray, threshold: int) -> Mask:
    """Return the mask of the digit, bool [H, W].

    Args:
        foreground: 0 to 255 [H, W], with everything else that is on the paper.
        threshold: the level above which a pixel is foreground.

    Raises:
        InputError: there are only lines that the border cuts off.
    """
    mask = foreground > threshold
    ruled = ruled_line_mask(mask)
    if ruled is not None:
        components = connected_components(mask & ~ruled)
        near = dilate(ruled)
        top, left, bottom, right = components.boxes.T
        shorter, longer = np.sort([bottom - top, right - left], axis=0)
        # Removing the lines of a form leaves the other sides of its cells.
        clipped = components.touches_border | (components.sums(near) > 0)
        is_cell_side = clipped & (shorter < MAX_LINE_ASPECT * longer)
        if is_cell_side.all() and connected_components(mask).touches_border.all():
            raise clutter_error()
        if is_cell_side.any():
            components = connected_components(components.mask(~is_cell_side))
            clipped = components.touches_border | (components.sums(near) > 0)
        # If the digit reaches the border, the lines were strokes of a digit that fills the picture.
        if components.count:
            selected = _select_components(components, foreground, clipped)
            if not components.touches_border[selected].any():
                return components.mask(selected)
    components = connected_components(mask)
    if components.count <= 1:
        return mask
    return components.mask(_select_components(components, foreground, components.touches_border))


def is_texture(mask: Mask, digit: Mask) -> bool:
    """Return whether a picture is a texture instead of a digit.

    A texture reaches all four sides of the picture, and its strokes are longer than those of any
    digit.

    Args:
        mask: the foreground [H, W].
        digit: the part of it that was selected as the digit [H, W].
    """
    if not all(edge.any() for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1])):
        return False
    side = max(part.stop - part.start for part in bounding_box(digit))
    ruled = ruled_line_mask(mask)
    rest = mask if ruled is None else mask & ~ruled
    length = np.count_nonzero(rest) / max(mean_stroke_width(rest), 1)
    return bool(length > MAX_STROKE_LENGTH * max(side, MIN_SIDE_PX))


def _select_components(components: Components, foreground: Gray, clipped: Mask) -> Mask:
    """Select the components of the digit.

    Args:
        components: the components of the foreground.
        foreground: 0 to 255 [H, W].
        clipped: whether the border or a ruled line cuts off each component, bool [count].

    Returns:
        Whether each component belongs to the digit, bool [count].
    """
    picture_height, picture_width = components.shape
    top, left, bottom, right = components.boxes.T
    height, width = bottom - top, right - left
    area = components.areas
    strength = components.sums(foreground) / area
    is_cell = form_cells(components.boxes, area)
    # Components far from the middle, above all at the border, belong to neighbouring digits.
    offset_y, offset_x = (top + bottom) / picture_height - 1, (left + right) / picture_width - 1
    distance = np.hypot(offset_y, offset_x) / np.sqrt(2)
    score = area * np.maximum(height, width) * (1 - 0.6 * distance)
    score = score * np.where(clipped, 0.15, 1.0) * np.where(is_cell, 0.02, 1.0) * strength
    # A component along half of the border is a shadow.
    score = score * np.where(
        components.border_pixels > (picture_height + picture_width) / 2, 0.2, 1.0
    )
    main = int(score.argmax())
    eligible = (
        (area >= MIN_AREA * area[main]) & (strength >= MIN_STRENGTH * strength[main]) & ~is_cell
    )
    if not clipped[main]:
        eligible &= ~clipped
    # Components of similar size stay, wherever they are: the picture may show two digits.
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
