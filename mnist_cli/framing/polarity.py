"""Detects whether the foreground is lighter than the background."""

import numpy as np

from mnist_cli.arrays import Gray, Mask
from mnist_cli.framing.background import border, estimate_background
from mnist_cli.framing.components import connected_components
from mnist_cli.framing.morphology import morphological_closing
from mnist_cli.framing.threshold import histogram, otsu_threshold

# Votes for which of two levels is the background: the one with more of the picture, of its border
# and of its corners, and, if these disagree, the one with more connected components. The weights
# are close to those of a logistic regression on tight crops of digits in the training fonts, with
# more weight on the border.
AREA_WEIGHT, BORDER_WEIGHT, CORNERS_WEIGHT, COMPONENTS_WEIGHT = 0.36, 0.15, 0.29, 0.2
# Fraction of the picture; smaller components do not vote.
MIN_COMPONENT_AREA = 0.02


def binary_is_light_on_dark(light: Mask) -> bool:
    """Return whether the foreground is the lighter of two levels, in even light.

    The background usually has more of the picture and of its border. A digit that fills the picture
    may have more of both, but it rarely reaches the corners, and it is one component, while the
    background has several: around the digit and inside its loops.

    Args:
        light: the pixels [H, W] that have the lighter level.
    """
    corners = light[:: max(len(light) - 1, 1), :: max(light.shape[1] - 1, 1)]
    weights = ((AREA_WEIGHT, light), (BORDER_WEIGHT, border(light)), (CORNERS_WEIGHT, corners))
    balance = sum(weight * _balance(part) for weight, part in weights)
    if abs(balance) < COMPONENTS_WEIGHT:
        light_count, dark_count = _component_count(light), _component_count(~light)
        balance += COMPONENTS_WEIGHT * ((light_count > dark_count) - (light_count < dark_count))
    return balance < 0


def _balance(light: Mask) -> float:
    """Return the difference of the two levels' shares, from -1 (all dark) to 1 (all light)."""
    return 2 * np.count_nonzero(light) / light.size - 1


def _component_count(mask: Mask) -> int:
    return int(np.count_nonzero(connected_components(mask).areas >= MIN_COMPONENT_AREA * mask.size))


def gray_is_light_on_dark(gray: Gray) -> bool:
    """Return whether the foreground of a picture [H, W] is lighter than the background.

    This works in any light. It combines the skewness of the local contrast (the foreground is rare
    and differs from its surroundings), the border (mostly background) and the energy of both
    top-hats (the foreground is narrow, shadows are wide). The weights come from a logistic
    regression on pictures of known polarity.
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
    """Return the sum of squares of the black top-hat, which keeps narrow dark structures."""
    top_hat = morphological_closing(gray, window) - gray
    return float((top_hat.astype(np.float32) ** 2).sum())
