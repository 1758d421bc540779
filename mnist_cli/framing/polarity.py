"""Which is lighter, ink or paper."""

import numpy as np

from mnist_cli.arrays import Gray, Mask
from mnist_cli.framing.background import border, estimate_background
from mnist_cli.framing.components import connected_components
from mnist_cli.framing.morphology import morphological_closing
from mnist_cli.framing.threshold import histogram, otsu_threshold

# How much it counts which level has more of the picture, of its border and of its corners; and,
# where these disagree, which is in more parts.
AREA_WEIGHT, BORDER_WEIGHT, CORNERS_WEIGHT, COMPONENTS_WEIGHT = 0.36, 0.15, 0.29, 0.2
# What is smaller than this fraction of the picture is no part, but dirt.
MIN_COMPONENT_AREA = 0.02


def binary_is_light_on_dark(light: Mask) -> bool:
    """Whether ink is the light one of two levels [H, W], in even light.

    Paper has more of the picture and of its border; but a digit that fills the picture may have
    more of both than the paper. It hardly has the corners then, and it is in one part, where the
    paper is in several: around the digit, and in its loops. The weights are near those of a
    logistic regression on tight crops of digits in the fonts of the training, with more for the
    border.
    """
    corners = light[:: max(len(light) - 1, 1), :: max(light.shape[1] - 1, 1)]
    weights = ((AREA_WEIGHT, light), (BORDER_WEIGHT, border(light)), (CORNERS_WEIGHT, corners))
    balance = sum(weight * _balance(part) for weight, part in weights)
    if abs(balance) < COMPONENTS_WEIGHT:
        light_count, dark_count = _component_count(light), _component_count(~light)
        balance += COMPONENTS_WEIGHT * ((light_count > dark_count) - (light_count < dark_count))
    return balance < 0


def _balance(light: Mask) -> float:
    """From -1, all dark, to 1, all light."""
    return 2 * np.count_nonzero(light) / light.size - 1


def _component_count(mask: Mask) -> int:
    return int(np.count_nonzero(connected_components(mask).areas >= MIN_COMPONENT_AREA * mask.size))


def gray_is_light_on_dark(gray: Gray) -> bool:
    """Whether ink is lighter than paper, in any light.

    Ink is the rarer of the two, and so the side on which levels are far from those around them (the
    skewness of the local contrast); the border is mostly paper; and ink is in narrow shapes, while
    the edge of a shadow is none. The weights are those of a logistic regression on pictures of
    which it was known.
    """
    level = gray.astype(np.float32)
    contrast = level - estimate_background(level, np.ones_like(level))
    skewness = float((contrast**3).mean()) / (float(contrast.std()) or 1.0) ** 3
    lighter = gray > otsu_threshold(histogram(gray))
    light_border = float(border(lighter).mean())
    window = max(3, round(0.4 * min(gray.shape)))
    dark, light = (_black_top_hat_energy(one, window) for one in (gray, 255 - gray))
    narrow = (light - dark) / (light + dark + 1)
    return skewness + 0.95 * narrow > 0.55 * (2 * light_border - 1)


def _black_top_hat_energy(gray: Gray, window: int) -> float:
    """The sum of squares of what a closing removes."""
    top_hat = morphological_closing(gray, window) - gray
    return float((top_hat.astype(np.float32) ** 2).sum())
