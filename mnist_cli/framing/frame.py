"""Normalizes the digit in a picture to the 28x28 pixels of MNIST."""

import numpy as np
from PIL import Image

from mnist_cli.arrays import Gray, Mask, Pixels
from mnist_cli.errors import InputError
from mnist_cli.framing.binarize import adaptive_threshold, global_threshold
from mnist_cli.framing.errors import texture_error
from mnist_cli.framing.morphology import dilate
from mnist_cli.framing.normalize import (
    bounding_box,
    centre_on_28x28,
    fit_to_20x20,
    is_mnist_normalized,
)
from mnist_cli.framing.selection import digit_mask, is_texture, needs_selection
from mnist_cli.framing.stripes import undo_inverted_stripes
from mnist_cli.framing.stroke_width import thicken_thin_strokes
from mnist_cli.framing.threshold import CLEAN_THRESHOLD, NOISY_THRESHOLD

# Longer side of a picture; larger pictures are reduced before the digit is located.
MAX_SIDE_PX = 256
# Longer side of a digit in a reduced picture; smaller ones are located again with more pixels.
MIN_DIGIT_SIDE_PX = 80


def frame(pixels: Pixels) -> Gray:
    """Locate the digit in a picture and normalize it as in MNIST.

    The digit is separated from the background, cropped, scaled to fit 20x20 with its aspect ratio
    kept, and centred by mass on 28x28 (LeCun et al. 1998, "Gradient-based learning applied to
    document recognition", section III-A). A picture that is normalized already is only made dark on
    light. Slant is not removed: the digits of MNIST are slanted too.

    Args:
        pixels: a picture [H, W], 0 black to 255 white, dark on light or light on dark.

    Returns:
        The digit, uint8 [28, 28], black on white.

    Raises:
        InputError: the picture is blank, or it shows only lines or a texture.
    """
    gray = pixels.round().astype(np.uint8, copy=False)
    framed = mnist_normalized(gray)
    if framed is None and (undone := undo_inverted_stripes(gray)) is not gray:
        gray, framed = undone, mnist_normalized(undone)
    return normalize_foreground(_locate_digit(gray)) if framed is None else framed


def mnist_normalized(gray: Gray) -> Gray | None:
    """Return the picture, dark on light, if it is normalized as in MNIST; otherwise None."""
    return next((upright for upright in (gray, 255 - gray) if is_mnist_normalized(upright)), None)


def normalize_foreground(foreground: Gray) -> Gray:
    """Normalize a cropped foreground [h, w], 0 to 255, to uint8 [28, 28], black on white."""
    return 255 - centre_on_28x28(fit_to_20x20(thicken_thin_strokes(foreground)))


def _locate_digit(gray: Gray) -> Gray:
    """Return the foreground of the digit alone, 0 to 255, cropped to it [h, w]."""
    factor = _reduction_factor(gray)
    foreground, threshold = _threshold_foreground(gray, factor)
    mask = foreground > CLEAN_THRESHOLD
    rows, columns = bounding_box(mask)
    if threshold == NOISY_THRESHOLD or needs_selection(mask[rows, columns]):
        mask = digit_mask(foreground, threshold)
        if is_texture(foreground > NOISY_THRESHOLD, mask):
            raise texture_error()
        rows, columns = bounding_box(mask)
    elif factor == 1:
        return foreground[rows, columns]
    longest = max(rows.stop - rows.start, columns.stop - columns.start)
    if factor > 1 and longest < MIN_DIGIT_SIDE_PX:
        closer = gray[_around(rows, factor, gray.shape[0]), _around(columns, factor, gray.shape[1])]
        if _reduction_factor(closer) < factor:
            return _locate_digit(closer)
    return _crop(foreground, mask)


def _threshold_foreground(gray: Gray, factor: int) -> tuple[Gray, int]:
    """Return the foreground of the reduced picture and the level above which it counts."""
    small = gray if factor == 1 else np.asarray(Image.fromarray(gray).reduce(factor))
    try:
        clean = global_threshold(small)
    except InputError:
        if factor == 1:
            raise
        # Lines that are one pixel wide fade if the picture is reduced before the threshold.
        whole = global_threshold(gray)
        clean = None if whole is None else reduce_foreground(whole, factor)
    if clean is None:
        return adaptive_threshold(small), NOISY_THRESHOLD
    return clean, CLEAN_THRESHOLD


def _reduction_factor(gray: Gray) -> int:
    """Return the factor by which a picture is reduced to MAX_SIDE_PX."""
    return int(-(-max(gray.shape) // MAX_SIDE_PX))


def reduce_foreground(foreground: Gray, factor: int) -> Gray:
    """Reduce a clean foreground by a factor; faded lines are scaled back to 255."""
    if factor == 1:
        return foreground
    small = np.asarray(Image.fromarray(foreground).reduce(factor))
    return (small * np.float32(255 / max(small.max(), 1))).astype(np.uint8)


def _around(found: slice, factor: int, limit: int) -> slice:
    """Scale a range of the reduced picture to the original, with its length as a margin."""
    start, stop = found.start * factor, found.stop * factor
    margin = max(stop - start, 8 * factor)
    return slice(max(start - margin, 0), min(stop + margin, limit))


def _crop(foreground: Gray, mask: Mask) -> Gray:
    """Crop the foreground to a mask and one pixel around it, where strokes fade out."""
    near = dilate(mask)
    box = bounding_box(near & (foreground > CLEAN_THRESHOLD))
    return np.where(near, foreground, 0).astype(np.uint8)[box]
