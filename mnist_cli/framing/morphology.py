"""Binary dilation and grayscale closing."""

import numpy as np

from mnist_cli.arrays import Gray, Mask


def dilate(mask: Mask) -> Mask:
    """The mask and the pixels next to it."""
    rows = mask.copy()
    rows[1:] |= mask[:-1]
    rows[:-1] |= mask[1:]
    both = rows.copy()
    both[:, 1:] |= rows[:, :-1]
    both[:, :-1] |= rows[:, 1:]
    return both


def morphological_closing(gray: Gray, window: int) -> Gray:
    """The picture without what is dark and narrower than the window; edges of shadows stay.

    A morphological closing (Serra 1982): the greatest level around each pixel, then the least.
    """
    padded = np.pad(gray, window, mode="edge")
    dilated = _sliding_extreme(padded, window, np.maximum)
    closed = _sliding_extreme(dilated, window, np.minimum)
    return closed[1:, 1:][: gray.shape[0], : gray.shape[1]]


def _sliding_extreme(gray: Gray, window: int, extreme: np.ufunc) -> Gray:
    """The extreme of each window x window pixels -> [H - window + 1, W - window + 1]."""
    for _ in range(2):
        width = 1
        while width < window:
            step = min(width, window - width)
            gray = extreme(gray[:-step], gray[step:])
            width += step
        gray = gray.T
    return gray
