"""Brings thin strokes near to those of MNIST, before they vanish in 20 pixels."""

import math

import numpy as np
from PIL import Image, ImageFilter

from mnist_cli.arrays import Gray, Mask
from mnist_cli.framing.normalize import bounding_box
from mnist_cli.framing.threshold import CLEAN_THRESHOLD

# The width of strokes as a fraction of the longest side: 99 % of 3,000 images of MNIST have more.
# Bold strokes stay: nothing of them is lost, and the models have learned bold fonts.
MIN_WIDTH_RATIO = 0.07
# Lines that are blurred to less ink than this, of 255, cannot be made full again.
MIN_BLURRED_LEVEL = 8
# What thinner ones are brought to.
TARGET_WIDTH_RATIO = 0.1


def thicken_thin_strokes(foreground: Gray) -> Gray:
    """Thicken the strokes of ink [h, w] that are thinner than in MNIST."""
    side = max(foreground.shape)
    width = mean_stroke_width(foreground > CLEAN_THRESHOLD)
    if width < MIN_WIDTH_RATIO * side:
        return _thicken(foreground, width, TARGET_WIDTH_RATIO * side)
    return foreground


def mean_stroke_width(mask: Mask) -> float:
    """The mean width of strokes in pixels: twice the area by the length of the outline.

    An outline of pixels is longer than the smooth one by 4 / pi on average over all directions.
    """
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
    padded[1:-1, 1:-1] = mask
    edges = np.count_nonzero(padded[1:] != padded[:-1])
    edges += np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    return 2 * float(np.count_nonzero(mask)) / max(edges * np.pi / 4, 1)


def _thicken(foreground: Gray, width: float, target: float) -> Gray:
    """Turn thin lines of one width into round strokes of another, in pixels.

    A blurred line is a bell, 2.35 sigma wide at half of its height, and sqrt(2 pi) sigma / width
    times lower than the line.
    """
    sigma = target / 2.35
    if sigma < 0.5:
        return foreground
    image = Image.fromarray(np.pad(foreground, round(2 * sigma))).filter(
        ImageFilter.GaussianBlur(sigma)
    )
    blurred = np.asarray(image)
    strongest = int(blurred.max())
    if strongest < MIN_BLURRED_LEVEL:  # specks, no lines: nothing is left to make strokes of
        return foreground
    full = max(math.sqrt(2 * math.pi) * sigma / width, 255 / strongest)
    thick: Gray = np.minimum(blurred * np.float32(full), 255).astype(np.uint8)
    return thick[bounding_box(thick > CLEAN_THRESHOLD)]
