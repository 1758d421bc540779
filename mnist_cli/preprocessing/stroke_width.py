"""Measures the stroke width and thickens strokes that would vanish in 20x20 pixels."""

import math

import numpy as np
from PIL import Image, ImageFilter

from mnist_cli.arrays import Gray, Mask
from mnist_cli.preprocessing.geometry import bounding_box
from mnist_cli.preprocessing.parameters import CLASSICAL


def thicken_thin_strokes(foreground: Gray) -> Gray:
    """Thicken the strokes of a foreground [h, w] if they are thinner than in MNIST."""
    side = max(foreground.shape)
    width = mean_stroke_width(foreground > CLASSICAL.foreground_threshold)
    if width < CLASSICAL.min_stroke_width * side:
        return _thicken(foreground, width, CLASSICAL.target_stroke_width * side)
    return foreground


def mean_stroke_width(mask: Mask) -> float:
    """Return the mean stroke width of a mask [H, W] in pixels: twice its area by its perimeter.

    The perimeter along pixel edges is 4 / pi times that of the smooth outline, on average over all
    directions.
    """
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
    padded[1:-1, 1:-1] = mask
    edges = np.count_nonzero(padded[1:] != padded[:-1])
    edges += np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    return 2 * float(np.count_nonzero(mask)) / max(edges * np.pi / 4, 1)


def _thicken(foreground: Gray, width: float, target: float) -> Gray:
    """Turn strokes of a given width into round strokes of the target width, both in pixels.

    The profile of a blurred line is a Gaussian: its full width at half maximum is 2.35 sigma, and
    its maximum is sqrt(2 pi) sigma / width times lower than the line.
    """
    sigma = target / 2.35
    if sigma < 0.5:
        return foreground
    image = Image.fromarray(np.pad(foreground, round(2 * sigma))).filter(
        ImageFilter.GaussianBlur(sigma)
    )
    blurred = np.asarray(image)
    strongest = int(blurred.max())
    if strongest < CLASSICAL.min_blurred_level:  # specks instead of strokes
        return foreground
    full = max(math.sqrt(2 * math.pi) * sigma / width, 255 / strongest)
    thick: Gray = np.minimum(blurred * np.float32(full), 255).astype(np.uint8)
    return thick[bounding_box(thick > CLASSICAL.foreground_threshold)]
