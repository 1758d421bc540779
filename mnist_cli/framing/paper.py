"""Tells ink from paper: which of the two is the lighter, and how light the paper is, everywhere."""

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mnist_cli.errors import InputError
from mnist_cli.framing.box import MIN_CONTRAST
from mnist_cli.framing.parts import digit
from mnist_cli.framing.strokes import stroke_width

Gray = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

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
# How much it counts which level has more of the picture; the rest is for its border.
AREA = 0.43


def flat_ink(gray: Gray) -> Gray | None:
    """The ink [H, W], 0 to 255, of a picture in even light and without noise; else None.

    Raises:
        InputError: the picture is blank.
    """
    # `np.bincount` would make eight bytes of each.
    counts = np.array(Image.fromarray(gray).histogram())
    levels = counts.nonzero()[0]
    darkest, lightest = int(levels[0]), int(levels[-1])
    if lightest - darkest < MIN_CONTRAST:
        raise blank()
    threshold = _otsu(counts)
    if _is_light_ink(gray > threshold):
        counts, gray, threshold = counts[::-1], 255 - gray, 254 - threshold
        darkest = 255 - lightest
    paper = counts[threshold + 1 :]
    lowest, middle, highest = paper.cumsum().searchsorted(np.array([0.25, 0.5, 0.98]) * paper.sum())
    level = threshold + 1 + int(middle)
    border = _border(gray)
    # What is dark and neither paper nor ink is paper in a shadow; a shadow reaches the border.
    full = counts[: darkest + (level - darkest) // 3 + 1].sum()
    is_lit = int(border.max()) - int(border.min()) > 2 * EVEN
    is_lit = is_lit and full < counts[: threshold + 1].sum() / 2
    is_noisy = level - darkest < NOISE * (highest - middle)
    even = highest - lowest <= EVEN and not is_lit and not is_noisy
    if not even and min(gray.shape) >= SMALL:
        return None
    return _inked(level, level - darkest)[gray]


def _is_light_ink(light: npt.NDArray[np.bool_]) -> bool:
    """Whether ink is the light one of two levels: paper has more of the picture and its border."""
    area, border = (np.count_nonzero(part) / part.size for part in (light, _border(light)))
    return bool(area * AREA + border * (1 - AREA) < 0.5)


def _border(picture: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The outermost pixels."""
    return np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])


def blank() -> InputError:
    return InputError("no digit in the picture: it is blank, or ink and paper differ too little")


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
    if _is_light_on_dark(calm):
        calm = 255 - calm
    level = calm.astype(np.float32)
    depth = np.zeros_like(level)
    threshold = 0.0
    for _ in range(3):
        depth = (_spread(level, (depth <= threshold).astype(np.float32)) - level) / np.float32(255)
        threshold = _threshold(depth)
    window = 1 + round(CLOSING * stroke_width(digit(_between(depth, threshold, 2 * threshold), 0)))
    window = min(window, max(3, min(gray.shape) // 2))
    depth = (_closed(calm, window).astype(np.float32) - level) / np.float32(255)
    depth -= np.median(depth)
    threshold = _threshold(depth)
    inside = depth[depth > threshold]
    full = float(np.percentile(inside, 90)) if inside.size else 0.0
    if full < max(MIN_DEPTH, 3 * noise / 255):
        raise blank()
    return _between(depth, 0.25 * full, 0.75 * full)


def _threshold(depth: Floats) -> float:
    low, high = float(depth.min()), float(depth.max())
    if high <= low:
        return high
    bins = ((depth - low) * np.float32(127.99 / (high - low))).astype(np.intp)
    counts = np.bincount(bins.ravel(), minlength=128)
    return max(low + (high - low) * (_otsu(counts) + 1) / 128, MIN_DEPTH / 2)


def _calmed(gray: Gray) -> tuple[Gray, float]:
    """The picture without most of its noise, and how much is left (standard deviation)."""
    image = Image.fromarray(gray)
    noise = _noise(gray)
    for calmer in (ImageFilter.MedianFilter(3), ImageFilter.GaussianBlur(1)):
        if noise < 4 or min(gray.shape) < 16:
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


def _is_light_on_dark(gray: Gray) -> bool:
    """Whether ink is lighter than paper, in any light.

    Ink is the rarer of the two, and so the side on which levels are far from those around them (the
    skewness of the local contrast); the border is mostly paper; and ink is in narrow shapes, while
    the edge of a shadow is none. The weights are those of a logistic regression on pictures of
    which it was known.
    """
    level = gray.astype(np.float32)
    contrast = level - _spread(level, np.ones_like(level))
    skewness = float((contrast**3).mean()) / (float(contrast.std()) or 1.0) ** 3
    lighter = gray > _otsu(np.bincount(gray.ravel(), minlength=256))
    light_border = float(_border(lighter).mean())
    window = max(3, round(0.4 * min(gray.shape)))
    dark = float(((_closed(gray, window) - gray).astype(np.float32) ** 2).sum())
    light = float(((_closed(255 - gray, window) - (255 - gray)).astype(np.float32) ** 2).sum())
    narrow = (light - dark) / (light + dark + 1)
    return skewness + 0.95 * narrow > 0.55 * (2 * light_border - 1)


def _spread(level: Floats, weight: Floats) -> Floats:
    """A smooth surface through the levels [H, W], each with its weight.

    Means of a coarse grid, smoothed where they are few: normalised convolution (Knutsson and
    Westin 1993).
    """
    height, width = level.shape
    cell = max(8, max(height, width) / 12)
    rows, columns = (max(2, round(side / cell)) for side in (height, width))
    row_starts = np.arange(rows) * height // rows
    column_starts = np.arange(columns) * width // columns

    def cells(values: Floats) -> Floats:
        return np.add.reduceat(np.add.reduceat(values, row_starts, 0), column_starts, 1)

    wide_sums, wide_weights = sums, weights = cells(level * weight), cells(weight)
    # At the very least the mean of all, where no weight is near.
    least = np.float32(1e-4 * height * width / (rows * columns))
    total = sums + least * sums.sum() / max(weights.sum(), 1)
    norm = weights + least
    for fade in (0.2, 0.02, 0.002):
        wide_sums, wide_weights = (
            np.asarray(_blurs(rows) @ values @ _blurs(columns).T, np.float32)
            for values in (wide_sums, wide_weights)
        )
        total += np.float32(fade) * wide_sums
        norm += np.float32(fade) * wide_weights
    coarse = Image.fromarray((total / norm).astype(np.float32))
    return np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC))


@functools.lru_cache
def _blurs(count: int) -> Floats:
    """The matrix [count, count] of a binomial filter, taken twice; what is at the end goes on."""
    padded = np.pad(np.eye(count, dtype=np.float32), ((1, 1), (0, 0)), mode="edge")
    once = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / np.float32(4)
    return once @ once


def _closed(gray: Gray, window: int) -> Gray:
    """The picture without what is dark and narrower than the window; edges of shadows stay.

    A morphological closing (Serra 1982): the greatest level around each pixel, then the least.
    """
    padded = np.pad(gray, window, mode="edge")
    closed = _extreme(_extreme(padded, window, np.maximum), window, np.minimum)
    return closed[1:, 1:][: gray.shape[0], : gray.shape[1]]


def _extreme(gray: Gray, window: int, pick: np.ufunc) -> Gray:
    """The extreme of each window x window pixels -> [H - window + 1, W - window + 1]."""
    for _ in range(2):
        width = 1
        while width < window:
            step = min(width, window - width)
            gray = pick(gray[:-step], gray[step:])
            width += step
        gray = gray.T
    return gray


def _otsu(counts: npt.NDArray[np.intp]) -> int:
    """The level that parts a histogram best into two: Otsu, "A threshold selection method" (1979).

    The second part begins after it.
    """
    below = counts.cumsum()
    above = below[-1] - below
    sums = (counts * np.arange(len(counts))).cumsum()
    apart = sums * below[-1] - sums[-1] * below
    return int((apart.astype(np.float64) ** 2 / np.maximum(below * above, 1)).argmax())
