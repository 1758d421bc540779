"""Detects whether the foreground is lighter than the background."""

import numpy as np

from mnist_cli.arrays import Mask
from mnist_cli.preprocessing.components import connected_components
from mnist_cli.preprocessing.threshold import border

# Votes for which of two levels is the background: the one with more of the picture, of its border
# and of its corners, and, if these disagree, the one with more connected components. The weights
# are close to those of a logistic regression on tight crops of digits in the training fonts, with
# more weight on the border.
AREA_WEIGHT, BORDER_WEIGHT, CORNERS_WEIGHT, COMPONENTS_WEIGHT = 0.36, 0.15, 0.29, 0.2
# Fraction of the picture; smaller components do not vote.
MIN_COMPONENT_AREA = 0.02
# Longer side from which components are counted on a coarser grid; labelling large noise takes long.
MAX_COUNTED_SIDE_PX = 512


def is_light_on_dark(light: Mask) -> bool:
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
    step = -(-max(mask.shape) // MAX_COUNTED_SIDE_PX)
    grid = mask[::step, ::step]
    return int(np.count_nonzero(connected_components(grid).areas >= MIN_COMPONENT_AREA * grid.size))
