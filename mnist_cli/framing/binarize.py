"""Tells ink from paper, in even and in any other light."""

import functools

import numpy as np
from PIL import Image, ImageFilter

from mnist_cli.arrays import Floats, Gray
from mnist_cli.framing.background import border_contrast, estimate_background
from mnist_cli.framing.morphology import morphological_closing
from mnist_cli.framing.normalize import MIN_CONTRAST, blank
from mnist_cli.framing.polarity import binary_is_light_on_dark, gray_is_light_on_dark
from mnist_cli.framing.selection import digit_mask
from mnist_cli.framing.stroke_width import mean_stroke_width
from mnist_cli.framing.threshold import histogram, otsu_threshold

# The same where light and noise have been taken off, as a fraction of the paper's level.
MIN_ABSORPTION = 0.07
# What is dark and wider than this many strokes is shadow.
CLOSING_STROKES = 4.0
# Between the darkest and the lightest tenth of a paper in even light, in gray levels.
MAX_BACKGROUND_RANGE = 16
MAX_BORDER_CONTRAST = 32
# The contrast of ink is so many times what the lightest of the paper are above its median, or more.
MIN_CONTRAST_TO_NOISE = 10
# In so few pixels light cannot be told from ink.
MIN_ADAPTIVE_SIDE_PX = 20
# The noise of photographs that is calmed, in gray levels and as a fraction of all contrast: what
# calms noise takes strokes of a pixel or two as well.
MAX_NOISE, MAX_NOISE_RATIO = 4, 1 / 24
MIN_DENOISED_SIDE_PX = 16
# The least level of paper, in gray levels, with which ink can be compared.
MIN_BACKGROUND = np.float32(32)


def global_threshold(gray: Gray) -> Gray | None:
    """The ink [H, W], 0 to 255, of a picture in even light and without noise; else None.

    Raises:
        InputError: the picture is blank.
    """
    counts = histogram(gray)
    levels = counts.nonzero()[0]
    darkest, lightest = int(levels[0]), int(levels[-1])
    if lightest - darkest < MIN_CONTRAST:
        raise blank()
    threshold = otsu_threshold(counts)
    if binary_is_light_on_dark(gray > threshold):
        counts, gray, threshold = counts[::-1], 255 - gray, 254 - threshold
        darkest = 255 - lightest
    background = counts[threshold + 1 :]
    shares = np.array([0.25, 0.5, 0.98]) * background.sum()
    lowest, middle, highest = background.cumsum().searchsorted(shares)
    level = threshold + 1 + int(middle)
    # What is dark and neither paper nor ink is paper in a shadow; a shadow reaches the border.
    full_strength = counts[: darkest + (level - darkest) // 3 + 1].sum()
    is_shaded = (
        border_contrast(gray) > MAX_BORDER_CONTRAST
        and full_strength < counts[: threshold + 1].sum() / 2
    )
    is_noisy = level - darkest < MIN_CONTRAST_TO_NOISE * (highest - middle)
    is_even = highest - lowest <= MAX_BACKGROUND_RANGE and not is_shaded and not is_noisy
    if not is_even and min(gray.shape) >= MIN_ADAPTIVE_SIDE_PX:
        return None
    return _foreground_table(level, level - darkest).take(gray)  # thrice as fast as an index


@functools.lru_cache
def _foreground_table(background: int, contrast: int) -> Gray:
    """The ink, 0 to 255, of each gray level [256].

    A tenth at each end is paper texture and uneven ink: it becomes plain paper and full ink.
    """
    absorption = (background - np.arange(256, dtype=np.float32)) / np.float32(contrast)
    return _ramp(absorption, 0.1, 0.9)


def _ramp(absorption: Floats, background: float, full: float) -> Gray:
    """Depths -> ink, 0 to 255: none up to `paper`, all from `full`."""
    ratio = np.clip((absorption - background) / (full - background), 0, 1)
    foreground: Gray = (ratio * 255).round().astype(np.uint8)
    return foreground


def adaptive_threshold(gray: Gray) -> Gray:
    """The ink [H, W], 0 to 255, of a picture in any light, with texture and noise.

    The way of Gatos, Pratikakis and Perantonis, "Adaptive degraded document image binarization"
    (Pattern Recognition 39, 2006): quieten the noise, guess the ink, take the paper's level from
    where no ink is and spread it under the ink, and compare with that.

    Raises:
        InputError: the picture is blank.
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
        raise blank()
    return _ramp(absorption, 0.25 * full, 0.75 * full)


def _absorption(background: Floats, level: Floats) -> Floats:
    """How much of the light ink swallows, 0.0 to 1.0, wherever there is paper around it.

    What a picture shows is light times reflectance (the model behind homomorphic filtering:
    Oppenheim, Schafer and Stockham 1968), so the part that ink swallows is the same in a shadow,
    while the difference in gray levels is not.
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
    """The picture without most of its noise, and how much is left (standard deviation)."""
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
    """The standard deviation of the noise, in gray levels.

    J. Immerkaer, "Fast Noise Variance Estimation" (Computer Vision and Image Understanding 64,
    1996), with the median in the place of the mean: strokes are no noise.
    """
    if min(gray.shape) < 3:
        return 0.0
    level = gray.astype(np.int16)
    rows = level[:-2] - 2 * level[1:-1] + level[2:]
    both = rows[:, :-2] - 2 * rows[:, 1:-1] + rows[:, 2:]
    return float(np.median(np.abs(both)) / (0.6745 * 6))
