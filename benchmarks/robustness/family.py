"""What the bench is made of: families of pictures, each drawn from a seed."""

import math
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data import Digits

Pixels = NDArray[np.uint8]
"""uint8 [H, W], 0 black to 255 white."""

Ink = NDArray[np.float32]
"""float32 [H, W], 0.0 paper to 1.0 full ink."""

Rng = np.random.Generator

NO_DIGIT = -1
SEED = 20_170_501


def as_ink(gray: Pixels) -> Ink:
    """Turn gray levels into ink: 255 is full ink."""
    return gray.astype(np.float32) / np.float32(255)


def as_pixels(light: NDArray[np.floating | np.bool]) -> Pixels:
    """Turn light [H, W], 0.0 black to 1.0 white, into gray levels; beyond that it is clipped."""
    return np.asarray((np.clip(light, 0, 1) * 255).round(), np.uint8)


class Picture(NamedTuple):
    """A picture, and the digit that it shows or `NO_DIGIT`."""

    pixels: Pixels
    label: int


class Family(NamedTuple):
    """Pictures of one kind."""

    group: str
    name: str
    draw: Callable[[Rng, Digits], Picture]
    """Draws one picture; handwriting is made of the digits that it is given."""
    light_ink: bool = False
    """Whether ink is white and paper black, as in the files of MNIST."""
    one_in: int = 1
    """Only one picture is drawn for so many of other families: these take long."""

    def pictures(self, digits: Digits, count: int) -> Iterator[Picture]:
        """Draw pictures one after the other; the first of more are the same as of fewer."""
        family = zlib.crc32(f"{self.group}, {self.name}".encode())
        for index in range(math.ceil(count / self.one_in)):
            yield self.draw(np.random.default_rng((SEED, family, index)), digits)
