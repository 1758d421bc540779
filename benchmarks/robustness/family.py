"""A family of pictures, generated from a fixed seed, and the types that generators use."""

import math
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.data import Digits

Pixels = NDArray[np.uint8]
"""uint8 [H, W], 0 black to 255 white; or [H, W, 3], red, green and blue."""

Ink = NDArray[np.float32]
"""float32 [H, W], 0.0 paper to 1.0 full ink."""

Rng = np.random.Generator

NO_DIGIT = -1
NUMBER_GROUP = "number"
"""Group of the families whose pictures show several digits."""
SEED = 20_170_501


def as_ink(gray: Pixels) -> Ink:
    """Convert gray levels [H, W] to ink; 255 is full ink."""
    return gray.astype(np.float32) / np.float32(255)


def as_pixels(light: NDArray[np.floating | np.bool]) -> Pixels:
    """Convert light [H, W] to gray levels; values below 0.0 (black) or above 1.0 (white) clip."""
    return np.asarray((np.clip(light, 0, 1) * 255).round(), np.uint8)


class Picture(NamedTuple):
    """A picture and its digit, or `NO_DIGIT`."""

    pixels: Pixels
    label: int
    text: str = ""
    """All digits, in lines, of a picture with several."""


def number_picture(pixels: Pixels, text: str) -> Picture:
    """Return a picture with several digits; only the digits of the text count."""
    lines = ["".join(filter(str.isdecimal, line)) for line in text.split("\n")]
    return Picture(pixels, NO_DIGIT, "\n".join(filter(None, lines)))


class Family(NamedTuple):
    """Pictures of one kind, such as photographs with a shadow."""

    group: str
    name: str
    draw: Callable[[Rng, Digits], Picture]
    """Generates one picture; the digits are images of MNIST to use as handwriting."""
    light_ink: bool = False
    """Whether ink is white and paper black, as in MNIST."""
    count_divisor: int = 1
    """Divides the number of pictures, for families that take long to generate."""

    def pictures(self, digits: Digits, count: int) -> Iterator[Picture]:
        """Generate pictures; picture `i` does not depend on how many are generated."""
        family_seed = zlib.crc32(f"{self.group}, {self.name}".encode())
        for index in range(math.ceil(count / self.count_divisor)):
            yield self.draw(np.random.default_rng((SEED, family_seed, index)), digits)
