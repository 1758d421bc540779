"""Separates foreground and background with a global or an adaptive threshold."""

import functools

import numpy as np
from PIL import Image, ImageFilter

from mnist_cli.arrays import Floats, Gray
from mnist_cli.framing.background import border_contrast, estimate_background
from mnist_cli.framing.errors import blank_error
from mnist_cli.framing.morphology import morphological_closing
from mnist_cli.framing.normalize import MIN_CONTRAST
from mnist_cli.framing.polarity import binary_is_light_on_dark, gray_is_light_on_dark
from mnist_cli.framing.selection import digit_mask
from mnist_cli.framing.stroke_width import mean_stroke_width
from mnist_cli.framing.threshold import histogram, otsu_threshold

# Fraction of light absorbed by the foreground; a lower contrast is texture or noise.
MIN_ABSORPTION = 0.07
# Window of the closing in stroke widths; dark areas that are wider are shadows.
CLOSING_STROKES = 4.0
# In even light, gray levels between the 25th and the 98th percentile of the background, and between
# the darkest and the lightest pixel of the border.
MAX_BACKGROUND_RANGE, MAX_BORDER_CONTRAST = 16, 32
# Contrast of the foreground over the difference between the 98th percentile and the median of the
# background; lower in noisy pictures.
MIN_CONTRAST_TO_NOISE = 10
# Smaller pictures are too small to separate shadows from strokes.
MIN_ADAPTIVE_SIDE_PX = 20
# Standard deviation of noise that is left alone, in gray levels and as a fraction of the contrast,
# because denoising also removes strokes of one or two pixels; and the smallest picture to denoise.
MAX_NOISE, MAX_NOISE_RATIO, MIN_DENOISED_SIDE_PX = 4, 1 / 24, 16
# Gray levels; a darker background counts as this one, so that noise in the dark is not amplified.
MIN_BACKGROUND = np.float32(32)


def global_threshold(gray: Gray) -> Gray | None:
    """Separate foreground and background by one threshold for the whole picture.

    Args:
        gray: a picture [H, W], dark on light or light on dark.

    Returns:
        The foreground, uint8 [H, W] from 0 to 255, or None in uneven light or noise.

    Raises:
        InputError: the contrast is below MIN_CONTRAST.
    """
    counts = histogram(gray)
    levels = counts.nonzero()[0]
    darkest, lightest = int(levels[0]), int(levels[-1])
    if lightest - darkest < MIN_CONTRAST:
        raise blank_error()
    threshold = otsu_threshold(counts)
    if binary_is_light_on_dark(gray > threshold):
        counts, gray, threshold = counts[::-1], 255 - gray, 254 - threshold
        darkest = 255 - lightest
    background = counts[threshold + 1 :]
    shares = np.array([0.25, 0.5, 0.98]) * background.sum()
    lowest, middle, highest = background.cumsum().searchsorted(shares)
    level = threshold + 1 + int(middle)
    # Levels between foreground and background are shadows if they reach the border of the picture.
    darker = counts[: threshold + 1].sum()
    darkest_third = counts[: darkest + (level - darkest) // 3 + 1].sum()
    is_shaded = border_contrast(gray) > MAX_BORDER_CONTRAST and darkest_third < darker / 2
    is_noisy = level - darkest < MIN_CONTRAST_TO_NOISE * (highest - middle)
    is_even = highest - lowest <= MAX_BACKGROUND_RANGE and not is_shaded and not is_noisy
    if not is_even and min(gray.shape) >= MIN_ADAPTIVE_SIDE_PX:
        return None
    return _foreground_table(level, level - darkest).take(gray)  # three times as fast as indexing


@functools.lru_cache
def _foreground_table(background: int, contrast: int) -> Gray:
    """Return the foreground, 0 to 255, of each gray level [256].

    A tenth of the contrast at both ends is clipped: the texture of paper, and uneven ink.
    """
    absorption = (background - np.arange(256, dtype=np.float32)) / np.float32(contrast)
    return _ramp(absorption, 0.1, 0.9)


def _ramp(absorption: Floats, background: float, full: float) -> Gray:
    """Map absorption to a foreground of 0 up to `background` and of 255 from `full` on."""
    ratio = np.clip((absorption - background) / (full - background), 0, 1)
    foreground: Gray = (ratio * 255).round().astype(np.uint8)
    return foreground


def adaptive_threshold(gray: Gray) -> Gray:
    """Separate foreground and background in uneven light, with texture and noise.

    The steps are those of B. Gatos, I. Pratikakis and S. J. Perantonis, "Adaptive degraded document
    image binarization" (Pattern Recognition 39, 2006): denoise, make a rough estimate of the
    foreground, interpolate the background under it, and compare the picture with that background.

    Args:
        gray: a picture [H, W], dark on light or light on dark.

    Returns:
        The foreground, uint8 [H, W] from 0 to 255.

    Raises:
        InputError: the contrast is too low.
    """
    denoised, sigma = _denoised(gray)
    if gray_is_light_on_dark(denoised):
        denoised = 255 - denoised
    level = denoised.astype(np.float32)
    absorption = np.zeros_like(level)
    threshold = 0.0
    for _ in range(3):
        background = estimate_background(level, (absorption <= threshold).astype(np.float32))
        absorption = _absorption(background, level)
        threshold = _absorption_threshold(absorption)
    strokes = digit_mask(_ramp(absorption, threshold, 2 * threshold), 0)
    window = 1 + round(CLOSING_STROKES * mean_stroke_width(strokes))
    window = min(window, max(3, min(gray.shape) // 2))
    background = morphological_closing(denoised, window).astype(np.float32)
    absorption = _absorption(background, level)
    absorption -= np.median(absorption)
    threshold = _absorption_threshold(absorption)
    inside = absorption[absorption > threshold]
    full = float(np.percentile(inside, 90)) if inside.size else 0.0
    if full < max(MIN_ABSORPTION, 3 * sigma / 255):
        raise blank_error()
    return _ramp(absorption, 0.25 * full, 0.75 * full)


def _absorption(background: Floats, level: Floats) -> Floats:
    """Return the fraction of light absorbed by the ink (1 - reflectance).

    A picture is the product of light and reflectance (the model of homomorphic filtering: A. V.
    Oppenheim, R. W. Schafer and T. G. Stockham, 1968), so a shadow changes the difference in gray
    levels between background and foreground, but not this ratio.
    """
    return np.asarray((background - level) / np.maximum(background, MIN_BACKGROUND), np.float32)


def _absorption_threshold(absorption: Floats) -> float:
    low, high = float(absorption.min()), float(absorption.max())
    if high <= low:
        return high
    bins = ((absorption - low) * np.float32(127.99 / (high - low))).astype(np.intp)
    counts = np.bincount(bins.ravel(), minlength=128)
    return max(low + (high - low) * (otsu_threshold(counts) + 1) / 128, MIN_ABSORPTION / 2)


def _denoised(gray: Gray) -> tuple[Gray, float]:
    """Remove most of the noise; also return the standard deviation of the rest in gray levels."""
    image = Image.fromarray(gray)
    sigma = noise_sigma(gray)
    for filter in (ImageFilter.MedianFilter(3), ImageFilter.GaussianBlur(1)):
        max_noise = max(MAX_NOISE, MAX_NOISE_RATIO * np.ptp(np.asarray(image)))
        if sigma < max_noise or min(gray.shape) < MIN_DENOISED_SIDE_PX:
            break
        image = image.filter(filter)
        sigma = noise_sigma(np.asarray(image))
    return np.asarray(image), sigma


def noise_sigma(gray: Gray) -> float:
    """Estimate the standard deviation of Gaussian noise in a picture [H, W], in gray levels.

    J. Immerkaer, "Fast Noise Variance Estimation" (Computer Vision and Image Understanding 64,
    1996), with the median instead of the mean, which strokes would raise.
    """
    if min(gray.shape) < 3:
        return 0.0
    level = gray.astype(np.int16)
    rows = level[:-2] - 2 * level[1:-1] + level[2:]
    both = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    return float(np.median(np.abs(both)) / (0.6745 * 6))
