"""The fast path for clean pictures: one threshold, one group of connected components."""

from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_cli.arrays import Gray, Mask
from mnist_cli.errors import InputError
from mnist_cli.preprocessing.binarize import global_threshold
from mnist_cli.preprocessing.components import connected_components
from mnist_cli.preprocessing.geometry import Box, bounding_box
from mnist_cli.preprocessing.normalize import mnist_normalized, normalize_foreground
from mnist_cli.preprocessing.parameters import CLASSICAL
from mnist_cli.preprocessing.stroke_width import mean_stroke_width

Slices = tuple[slice, slice]
"""Rows and columns of a picture."""


class Crop(NamedTuple):
    """A digit, normalized as in MNIST, and where it was."""

    image: Gray
    """uint8 [28, 28], dark on light."""
    box: Box
    is_original: bool = False
    """Whether the whole picture was normalized already."""


def crop_clean(gray: Gray) -> Crop | None:
    """Crop the only digit of a clean picture, uint8 [H, W].

    Returns:
        The digit; None if the picture is not clean: in uneven light, with noise, or with more than
        one group of components.

    Raises:
        InputError: the picture is blank.
    """
    normalized = mnist_normalized(gray)
    if normalized is None:
        return _crop(gray)
    box = bounding_box(normalized < 255 - CLASSICAL.foreground_threshold)
    return Crop(normalized, _box(box, 1, gray), is_original=True)


def _crop(gray: Gray) -> Crop | None:
    factor = _reduction_factor(gray)
    foreground = _foreground(gray, factor)
    if foreground is None:
        return None
    mask = foreground > CLASSICAL.foreground_threshold
    found = bounding_box(mask)
    if _may_have_parts(mask[found]):
        group = _only_group(mask)
        if group is None:
            return None
        mask, found = group, bounding_box(group)
    elif factor == 1:
        return Crop(normalize_foreground(foreground[found]), _box(found, factor, gray))
    if factor > 1 and max(side.stop - side.start for side in found) < CLASSICAL.min_digit_side_px:
        window = _window(found, factor, gray)
        if _reduction_factor(gray[window]) < factor:
            closer = _crop(gray[window])
            return closer and closer._replace(box=_moved(closer.box, window))
    near = _dilate(mask)
    visible = bounding_box(near & (foreground > CLASSICAL.foreground_threshold))
    image = normalize_foreground(np.where(near, foreground, 0).astype(np.uint8)[visible])
    return Crop(image, _box(found, factor, gray))


def _reduction_factor(gray: Gray) -> int:
    return int(-(-max(gray.shape) // CLASSICAL.max_side_px))


def _foreground(gray: Gray, factor: int) -> Gray | None:
    """Threshold the reduced picture; None if it is not clean."""
    if factor == 1:
        return global_threshold(gray)
    try:
        return global_threshold(np.asarray(Image.fromarray(gray).reduce(factor)))
    except InputError:  # lines of one pixel fade if the picture is reduced before the threshold
        whole = global_threshold(gray)
    if whole is None:
        return None
    small = np.asarray(Image.fromarray(whole).reduce(factor))
    if not small.any():  # specks
        return None
    return (small * np.float32(255 / small.max())).astype(np.uint8)


def _may_have_parts(mask: Mask) -> bool:
    """Return whether a cropped mask [h, w] may hold several components, or a frame.

    A fast test, which misses components whose rows and columns overlap. If the model is unsure of
    such a crop, the detector searches the picture.
    """
    if max(mask.shape) < CLASSICAL.min_side_px:
        return False
    if not (mask.any(axis=0).all() and mask.any(axis=1).all()):
        return True
    if np.count_nonzero(mask) > CLASSICAL.solid_share * mask.size:
        return False
    edges = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    full = [edge for edge in edges if np.count_nonzero(edge) > CLASSICAL.solid_share * len(edge)]
    # A run of foreground has two changes. A digit has up to two runs on an edge; specks and squared
    # paper have more.
    return len(full) >= 2 or any(np.count_nonzero(edge[1:] != edge[:-1]) > 4 for edge in edges)


def _only_group(mask: Mask) -> Mask | None:
    """Return the mask of the only group of components apart from specks; None if there are more."""
    components = connected_components(mask)
    if components.count > CLASSICAL.max_components:
        return None
    areas, boxes = components.areas, components.boxes
    is_mark = areas >= CLASSICAL.min_area * areas.max()
    group = np.zeros(components.count, bool)
    group[areas.argmax()] = True
    while True:
        (top, left), (bottom, right) = boxes[group, :2].min(axis=0), boxes[group, 2:].max(axis=0)
        side = max(bottom - top, right - left)
        gap_y = np.maximum(np.maximum(boxes[:, 0] - bottom, top - boxes[:, 2]), 0)
        gap_x = np.maximum(np.maximum(boxes[:, 1] - right, left - boxes[:, 3]), 0)
        joined = is_mark & ~group & (np.hypot(gap_y, gap_x) <= 1 + CLASSICAL.max_gap * side)
        if not joined.any():
            break
        group |= joined
    if (is_mark & ~group).any():
        return None
    found = components.mask(group)
    length = np.count_nonzero(found) / max(mean_stroke_width(found), 1)
    return found if length <= CLASSICAL.max_stroke_length * side else None


def _window(found: Slices, factor: int, gray: Gray) -> Slices:
    """Return the surroundings of a digit of the reduced picture, with its length as a margin."""

    def widened(side: slice, limit: int) -> slice:
        start, stop = side.start * factor, side.stop * factor
        margin = max(stop - start, 8 * factor)
        return slice(max(start - margin, 0), min(stop + margin, limit))

    rows, columns = found
    return widened(rows, gray.shape[0]), widened(columns, gray.shape[1])


def _box(found: Slices, factor: int, gray: Gray) -> Box:
    """Return the box of a digit of the reduced picture, in pixels of the picture."""
    (top, bottom), (left, right) = (
        (int(side.start) * factor, min(int(side.stop) * factor, limit))
        for side, limit in zip(found, gray.shape, strict=True)
    )
    return Box(left, top, right - left, bottom - top)


def _moved(box: Box, window: Slices) -> Box:
    rows, columns = window
    return box._replace(x=box.x + int(columns.start), y=box.y + int(rows.start))


def _dilate(mask: Mask) -> Mask:
    """Dilate a mask [H, W] by a square of 3x3 pixels."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    both = rows.copy()
    both[:, 1:] |= rows[:, :-1]
    both[:, :-1] |= rows[:, 1:]
    return both
