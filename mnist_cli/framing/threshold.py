"""Histogram, Otsu's threshold and the thresholds of the foreground."""

import numpy as np
from PIL import Image

from mnist_cli.arrays import Gray, Indices

# Foreground, 0 to 255, above which a pixel belongs to a mark: in clean and in noisy pictures.
CLEAN_THRESHOLD, NOISY_THRESHOLD = 63, 127
# NumPy counts faster than Pillow up to this size; it needs eight bytes for each pixel.
MAX_BINCOUNT_PX = 2**14


def histogram(gray: Gray) -> Indices:
    """Return the number of pixels of each gray level [256]."""
    if gray.size <= MAX_BINCOUNT_PX:
        return np.bincount(gray.ravel(), minlength=256)
    return np.array(Image.fromarray(gray).histogram())


def otsu_threshold(counts: Indices) -> int:
    """Return the level that maximizes the variance between both classes of a histogram.

    The second class begins after that level: N. Otsu, "A Threshold Selection Method from Gray-Level
    Histograms" (IEEE Transactions on Systems, Man, and Cybernetics 9, 1979).
    """
    below = counts.cumsum()
    above = below[-1] - below
    sums = (counts * np.arange(len(counts))).cumsum()
    separation = sums * below[-1] - sums[-1] * below
    return int((separation.astype(np.float64) ** 2 / np.maximum(below * above, 1)).argmax())
