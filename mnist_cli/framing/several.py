"""Lists the segmentation hypotheses for the digits of a picture, in reading order."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from PIL import Image

from mnist_cli.arrays import Gray, Indices, Pixels
from mnist_cli.framing.binarize import adaptive_threshold, global_threshold
from mnist_cli.framing.errors import MAX_COMPONENTS, too_many_components_error
from mnist_cli.framing.frame import mnist_normalized, normalize_foreground, reduce_foreground
from mnist_cli.framing.layout import Region, find_regions, text_lines
from mnist_cli.framing.morphology import dilate
from mnist_cli.framing.normalize import bounding_box
from mnist_cli.framing.oversegment import oversegment
from mnist_cli.framing.threshold import CLEAN_THRESHOLD, NOISY_THRESHOLD

# Longer side of a picture; larger pictures are reduced before digits are located.
MAX_PAGE_SIDE_PX = 1024
# Largest gap between pieces of a digit that are side by side, as a fraction of the digits' height.
MAX_PIECE_GAP = 0.12
# Multiples of the digits' height: the width from which on a region is cut, and the largest width of
# a digit with several pieces.
MIN_CUT_WIDTH, MAX_DIGIT_WIDTH = 0.7, 1.5


class BoundingBox(NamedTuple):
    """A rectangle in pixels of the original picture; x and y are its left and upper edge."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Hypothesis:
    """Consecutive pieces of a line that may be a digit."""

    first: int
    stop: int
    """The range of its pieces in the line; `stop` is exclusive."""
    breaks: int
    """How many gaps it spans, plus 1 if it ends at a cut through a connected region."""
    box: BoundingBox
    picture: Gray
    """uint8 [28, 28], black on white, normalized as in MNIST."""


def find_hypotheses(pixels: Pixels) -> list[list[Hypothesis]]:
    """Return the hypotheses of each line, from top to bottom and from left to right.

    Wide regions are cut into pieces, and each run of pieces that may be one digit is a hypothesis.
    So the hypotheses of a line overlap; recognition picks those that contain each piece once.

    Args:
        pixels: a picture [H, W], 0 black to 255 white, dark on light or light on dark.

    Raises:
        InputError: the picture is blank or has too many connected components.
    """
    gray = pixels.round().astype(np.uint8, copy=False)
    normalized = mnist_normalized(gray)
    if normalized is not None:
        box = _full_size_box(bounding_box(normalized < 255 - CLEAN_THRESHOLD), 1, gray.shape)
        return [[Hypothesis(0, 1, 0, box, normalized)]]
    factor = -(-max(gray.shape) // MAX_PAGE_SIDE_PX)
    clean = global_threshold(gray)
    if clean is not None:
        foreground, threshold = reduce_foreground(clean, factor), CLEAN_THRESHOLD
    else:
        small = np.asarray(Image.fromarray(gray).reduce(factor))
        foreground, threshold = adaptive_threshold(small), NOISY_THRESHOLD
    labels, regions = find_regions(foreground > threshold)
    free_labels = itertools.count(int(labels.max()) + 1)
    lines, left = [], MAX_COMPONENTS
    for line in text_lines(regions):
        digit_height = float(np.median([region.height for region in line]))
        pieces = [
            piece
            for region in line
            for piece in _pieces(foreground, labels, region, digit_height, free_labels)
        ]
        left -= len(pieces)
        if left < 0:
            raise too_many_components_error()
        found = _line_hypotheses(foreground, labels, pieces, digit_height, factor, gray.shape)
        lines.append(list(found))
    return lines


def _pieces(
    foreground: Gray,
    labels: Indices,
    region: Region,
    digit_height: float,
    free_labels: Iterator[int],
) -> Iterator[Region]:
    """Cut a region into pieces if it is wide, and give their pixels the next free labels."""
    own = labels[region.slices] == region.label
    side = np.zeros(own.shape, np.intp)
    if region.right - region.left > MIN_CUT_WIDTH * digit_height:
        faint = np.where(own, foreground[region.slices], 0).astype(np.float32)
        for cut in oversegment(faint / np.float32(255), digit_height):
            side += np.arange(own.shape[1]) >= cut[:, np.newaxis]
    for piece in np.unique(side[own]):
        mask, label = own & (side == piece), next(free_labels)
        labels[region.slices][mask] = label
        rows, columns = bounding_box(mask)
        top, left = region.top + rows.start, region.left + columns.start
        bottom, right = region.top + rows.stop, region.left + columns.stop
        yield Region(label, region.label, int(top), int(left), int(bottom), int(right))


def _line_hypotheses(
    foreground: Gray,
    labels: Indices,
    pieces: list[Region],
    digit_height: float,
    factor: int,
    shape: tuple[int, ...],
) -> Iterator[Hypothesis]:
    """Return all runs of the pieces of a line that may be digits, sorted by the first piece."""
    for first, start in enumerate(pieces):
        top, left, bottom, right = start[2:]
        for stop, last in enumerate(pieces[first:], start=first + 1):
            gap = last.left - right
            top, left = min(top, last.top), min(left, last.left)
            bottom, right = max(bottom, last.bottom), max(right, last.right)
            is_too_wide = right - left > MAX_DIGIT_WIDTH * digit_height
            if last is not start and (gap > MAX_PIECE_GAP * digit_height or is_too_wide):
                break
            breaks = len({piece.parent for piece in pieces[first:stop]}) - 1
            breaks += stop < len(pieces) and pieces[stop].parent == last.parent
            box = slice(top, bottom), slice(left, right)
            picture = normalize_foreground(_crop(foreground, labels, box, start.label, last.label))
            yield Hypothesis(first, stop, breaks, _full_size_box(box, factor, shape), picture)


def _crop(
    foreground: Gray, labels: Indices, box: tuple[slice, slice], first: int, last: int
) -> Gray:
    """Crop the foreground to pieces and the background next to them, where strokes fade out."""
    rows, columns = (slice(max(side.start - 1, 0), side.stop + 1) for side in box)
    near = labels[rows, columns]
    own = (near >= first) & (near <= last)
    reach = dilate(own) & (own | (near < 0))
    faded = np.where(reach, foreground[rows, columns], 0).astype(np.uint8)
    return faded[bounding_box(reach & (faded > CLEAN_THRESHOLD))]


def _full_size_box(slices: tuple[slice, slice], factor: int, shape: tuple[int, ...]) -> BoundingBox:
    """Scale slices of the reduced picture to a bounding box in the original one [H, W]."""
    (top, bottom), (left, right) = (
        (int(side.start) * factor, min(int(side.stop) * factor, limit))
        for side, limit in zip(slices, shape, strict=True)
    )
    return BoundingBox(left, top, right - left, bottom - top)
