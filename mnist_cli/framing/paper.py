"""Tells ink from paper, in even and in any other light."""

import functools

import numpy as np
from PIL import Image, ImageFilter

from mnist_cli.arrays import Floats, Gray
from mnist_cli.framing.background import border_contrast, estimate_background
from mnist_cli.framing.morphology import morphological_closing
from mnist_cli.framing.normalize import MIN_CONTRAST, blank
from mnist_cli.framing.parts import digit
from mnist_cli.framing.polarity import is_light_ink, is_light_on_dark
from mnist_cli.framing.stroke_width import mean_stroke_width
from mnist_cli.framing.threshold import histogram, otsu_threshold

# The same where light and noise have been taken off, as a fraction of the paper's level.
MIN_DEPTH = 0.07
# What is dark and wider than this many strokes is shadow.
CLOSING = 4.0
# Between the darkest and the lightest tenth of a paper in even light, in gray levels.
EVEN = 16
# The contrast of ink is so many times what the lightest of the paper are above its median, or more.
NOISE = 10
# In so few pixels light cannot be told from ink.
SMALL = 20
# The noise of photographs that is calmed, in gray levels and as a fraction of all contrast: what
# calms noise takes strokes of a pixel or two as well.
LOUD, LOUD_SHARE = 4, 1 / 24
# The least level of paper, in gray levels, with which ink can be compared.
DARKEST = np.float32(32)


def flat_ink(gray: Gray) -> Gray | None:
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
    if is_light_ink(gray > threshold):
        counts, gray, threshold = counts[::-1], 255 - gray, 254 - threshold
        darkest = 255 - lightest
    paper = counts[threshold + 1 :]
    lowest, middle, highest = paper.cumsum().searchsorted(np.array([0.25, 0.5, 0.98]) * paper.sum())
    level = threshold + 1 + int(middle)
    # What is dark and neither paper nor ink is paper in a shadow; a shadow reaches the border.
    full = counts[: darkest + (level - darkest) // 3 + 1].sum()
    is_lit = border_contrast(gray) > 2 * EVEN and full < counts[: threshold + 1].sum() / 2
    is_noisy = level - darkest < NOISE * (highest - middle)
    even = highest - lowest <= EVEN and not is_lit and not is_noisy
    if not even and min(gray.shape) >= SMALL:
        return None
    return _inked(level, level - darkest).take(gray)  # thrice as fast as an index


@functools.lru_cache
def _inked(paper: int, contrast: int) -> Gray:
    """The ink, 0 to 255, of each gray level [256].

    A tenth at each end is paper texture and uneven ink: it becomes plain paper and full ink.
    """
    depth = (paper - np.arange(256, dtype=np.float32)) / np.float32(contrast)
    return _between(depth, 0.1, 0.9)


def _between(depth: Floats, paper: float, full: float) -> Gray:
    """Depths -> ink, 0 to 255: none up to `paper`, all from `full`."""
    ink: Gray = (np.clip((depth - paper) / (full - paper), 0, 1) * 255).round().astype(np.uint8)
    return ink


def lit_ink(gray: Gray) -> Gray:
    """The ink [H, W], 0 to 255, of a picture in any light, with texture and noise.

    The way of Gatos, Pratikakis and Perantonis, "Adaptive degraded document image binarization"
    (Pattern Recognition 39, 2006): quieten the noise, guess the ink, take the paper's level from
    where no ink is and spread it under the ink, and compare with that.

    Raises:
        InputError: the picture is blank.
    """
    calm, noise = _calmed(gray)
    if is_light_on_dark(calm):
        calm = 255 - calm
    level = calm.astype(np.float32)
    depth = np.zeros_like(level)
    threshold = 0.0
    for _ in range(3):
        depth = _depth(estimate_background(level, (depth <= threshold).astype(np.float32)), level)
        threshold = _threshold(depth)
    window = 1 + round(
        CLOSING * mean_stroke_width(digit(_between(depth, threshold, 2 * threshold), 0))
    )
    window = min(window, max(3, min(gray.shape) // 2))
    depth = _depth(morphological_closing(calm, window).astype(np.float32), level)
    depth -= np.median(depth)
    threshold = _threshold(depth)
    inside = depth[depth > threshold]
    full = float(np.percentile(inside, 90)) if inside.size else 0.0
    if full < max(MIN_DEPTH, 3 * noise / 255):
        raise blank()
    return _between(depth, 0.25 * full, 0.75 * full)


def _depth(paper: Floats, level: Floats) -> Floats:
    """How much of the light ink swallows, 0.0 to 1.0, wherever there is paper around it.

    What a picture shows is light times reflectance (the model behind homomorphic filtering:
    Oppenheim, Schafer and Stockham 1968), so the part that ink swallows is the same in a shadow,
    while the difference in gray levels is not.
    """
    return np.asarray((paper - level) / np.maximum(paper, DARKEST), np.float32)


def _threshold(depth: Floats) -> float:
    low, high = float(depth.min()), float(depth.max())
    if high <= low:
        return high
    bins = ((depth - low) * np.float32(127.99 / (high - low))).astype(np.intp)
    counts = np.bincount(bins.ravel(), minlength=128)
    return max(low + (high - low) * (otsu_threshold(counts) + 1) / 128, MIN_DEPTH / 2)


def _calmed(gray: Gray) -> tuple[Gray, float]:
    """The picture without most of its noise, and how much is left (standard deviation)."""
    image = Image.fromarray(gray)
    noise = _noise(gray)
    for calmer in (ImageFilter.MedianFilter(3), ImageFilter.GaussianBlur(1)):
        if noise < max(LOUD, LOUD_SHARE * np.ptp(np.asarray(image))) or min(gray.shape) < 16:
            break
        image = image.filter(calmer)
        noise = _noise(np.asarray(image))
    return np.asarray(image), noise


def _noise(gray: Gray) -> float:
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
