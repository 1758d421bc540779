"""Binary dilation and grayscale closing."""

import numpy as np

from mnist_cli.arrays import Gray, Mask


def dilate(mask: Mask) -> Mask:
    """Dilate a mask [H, W] by a square of 3x3 pixels."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    both = rows.copy()
    both[:, 1:] |= rows[:, :-1]
    both[:, :-1] |= rows[:, 1:]
    return both


def morphological_closing(gray: Gray, window: int) -> Gray:
    """Remove dark structures narrower than `window` pixels; the edges of shadows stay.

    The closing of a picture [H, W] by a square (J. Serra, "Image Analysis and Mathematical
    Morphology", 1982): the maximum around each pixel, followed by the minimum.
    """
    padded = np.pad(gray, window, mode="edge")
    dilated = _sliding_extreme(padded, window, np.maximum)
    closed = _sliding_extreme(dilated, window, np.minimum)
    return closed[1:, 1:][: gray.shape[0], : gray.shape[1]]


def _sliding_extreme(gray: Gray, window: int, extreme: np.ufunc) -> Gray:
    """Return the maximum or minimum of each window: [H - window + 1, W - window + 1]."""
    for _ in range(2):
        width = 1
        while width < window:
            step = min(width, window - width)
            gray = extreme(gray[:-step], gray[step:])
            width += step
        gray = gray.T
    return gray
