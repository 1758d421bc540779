"""Histograms, Otsu's threshold and the thresholds of the foreground."""

import numpy as np
from PIL import Image

from mnist_cli.arrays import Gray, Indices

# Ink, 0 to 255, that is seen: in a clean picture, and in one with noise.
CLEAN_THRESHOLD, NOISY_THRESHOLD = 63, 127
# Pixels of pictures that NumPy counts faster than Pillow; of others it would make eight bytes each.
MAX_BINCOUNT_PX = 2**14


def histogram(gray: Gray) -> Indices:
    """How many pixels have each level [256]."""
    if gray.size <= MAX_BINCOUNT_PX:
        return np.bincount(gray.ravel(), minlength=256)
    return np.array(Image.fromarray(gray).histogram())


def otsu_threshold(counts: Indices) -> int:
    """The level that parts a histogram best into two: Otsu, "A threshold selection method" (1979).

    The second part begins after it.
    """
    below = counts.cumsum()
    above = below[-1] - below
    sums = (counts * np.arange(len(counts))).cumsum()
    separation = sums * below[-1] - sums[-1] * below
    return int((separation.astype(np.float64) ** 2 / np.maximum(below * above, 1)).argmax())
