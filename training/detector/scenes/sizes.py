"""Heights of digits."""

import numpy as np

from training.detector.recipe import SCENES
from training.synthetic.ink import log_uniform


def digit_height(rng: np.random.Generator, largest: float) -> float:
    """Return a height in pixels: often that of the second look, else anything that is read.

    Args:
        rng: where the choice comes from.
        largest: what the place has room for, in pixels.
    """
    low, high = SCENES.digit_heights
    if rng.random() < SCENES.second_look_share:
        height = SCENES.second_look_height * np.exp(rng.normal(0, SCENES.second_look_spread))
    else:
        height = log_uniform((low, high), rng)
    return float(np.clip(height, low, max(low, min(high, largest))))
