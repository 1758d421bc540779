"""Histogram, Otsu's threshold and the contrast of the border."""

from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.arrays import Gray, Indices

# NumPy counts faster than Pillow up to this size; it needs eight bytes for each pixel.
MAX_BINCOUNT_PX = 2**13


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


def border(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the outermost pixels of a picture [H, W]; most of them show the background."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def border_contrast(gray: Gray) -> int:
    """Return the range of the levels of the outermost pixels."""
    edge = border(gray)
    return int(edge.max()) - int(edge.min())
