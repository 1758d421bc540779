"""Separates foreground and background by one threshold for the whole picture."""

import functools

import numpy as np

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.errors import blank_error
from mnist_cli.preprocessing.parameters import CLASSICAL
from mnist_cli.preprocessing.polarity import is_light_on_dark
from mnist_cli.preprocessing.threshold import border_contrast, histogram, otsu_threshold


def global_threshold(gray: Gray) -> Gray | None:
    """Separate foreground and background by one threshold for the whole picture.

    Args:
        gray: a picture [H, W], dark on light or light on dark.

    Returns:
        The foreground, uint8 [H, W] from 0 to 255, or None in uneven light or noise.

    Raises:
        InputError: the contrast is below `CLASSICAL.min_contrast`.
    """
    counts = histogram(gray)
    levels = counts.nonzero()[0]
    darkest, lightest = int(levels[0]), int(levels[-1])
    if lightest - darkest < CLASSICAL.min_contrast:
        raise blank_error()
    threshold = otsu_threshold(counts)
    if is_light_on_dark(gray > threshold):
        counts, gray, threshold = counts[::-1], 255 - gray, 254 - threshold
        darkest = 255 - lightest
    background = counts[threshold + 1 :]
    shares = np.array([0.25, 0.5, 0.98]) * background.sum()
    lowest, middle, highest = background.cumsum().searchsorted(shares)
    level = threshold + 1 + int(middle)
    # Levels between foreground and background are shadows if they reach the border of the picture.
    darker = counts[: threshold + 1].sum()
    darkest_third = counts[: darkest + (level - darkest) // 3 + 1].sum()
    is_shaded = border_contrast(gray) > CLASSICAL.max_border_contrast and darkest_third < darker / 2
    is_noisy = level - darkest < CLASSICAL.min_contrast_to_noise * (highest - middle)
    is_even = highest - lowest <= CLASSICAL.max_background_range and not is_shaded and not is_noisy
    if not is_even and min(gray.shape) >= CLASSICAL.min_shaded_side_px:
        return None
    return _foreground_table(level, level - darkest).take(gray)


@functools.lru_cache
def _foreground_table(background: int, contrast: int) -> Gray:
    """Return the foreground, 0 to 255, of each gray level [256].

    A tenth of the contrast at both ends is clipped: the texture of paper, and uneven ink.
    """
    depth = (background - np.arange(256, dtype=np.float32)) / np.float32(contrast)
    foreground: Gray = (np.clip((depth - 0.1) / 0.8, 0, 1) * 255).round().astype(np.uint8)
    return foreground
