"""Detects whether the foreground is lighter than the background."""

import numpy as np

from mnist_cli.arrays import Mask
from mnist_cli.preprocessing.components import connected_components
from mnist_cli.preprocessing.parameters import CLASSICAL
from mnist_cli.preprocessing.threshold import border


def is_light_on_dark(light: Mask) -> bool:
    """Return whether the foreground is the lighter of two levels, in even light.

    The background usually has more of the picture and of its border. A digit that fills the picture
    may have more of both, but it rarely reaches the corners, and it is one component, while the
    background has several: around the digit and inside its loops.

    Args:
        light: the pixels [H, W] that have the lighter level.
    """
    corners = light[:: max(len(light) - 1, 1), :: max(light.shape[1] - 1, 1)]
    weights = (
        (CLASSICAL.area_weight, light),
        (CLASSICAL.border_weight, border(light)),
        (CLASSICAL.corners_weight, corners),
    )
    balance = sum(weight * _balance(part) for weight, part in weights)
    if abs(balance) < CLASSICAL.components_weight:
        light_count, dark_count = _component_count(light), _component_count(~light)
        balance += CLASSICAL.components_weight * (
            (light_count > dark_count) - (light_count < dark_count)
        )
    return balance < 0


def _balance(light: Mask) -> float:
    """Return the difference of the two levels' shares, from -1 (all dark) to 1 (all light)."""
    return 2 * np.count_nonzero(light) / light.size - 1


def _component_count(mask: Mask) -> int:
    step = -(-max(mask.shape) // CLASSICAL.max_voting_side_px)
    grid = mask[::step, ::step]
    return int(
        np.count_nonzero(connected_components(grid).areas >= CLASSICAL.min_voting_area * grid.size)
    )
