"""All families, and the images of MNIST that they use as handwriting."""

from functools import cache
from pathlib import Path
from typing import Literal

from benchmarks.robustness.corruptions import CORRUPTIONS, MNIST
from benchmarks.robustness.displays import DISPLAYS
from benchmarks.robustness.grids import GRIDS
from benchmarks.robustness.non_digits import NON_DIGITS
from benchmarks.robustness.numbers import NUMBERS
from benchmarks.robustness.panels import PANELS
from benchmarks.robustness.photographs import HANDWRITING, PHOTOGRAPHS
from benchmarks.robustness.plates import PLATES
from benchmarks.robustness.printed import PRINTED
from benchmarks.robustness.sizes import SIZES
from training.data import Digits, load_test, load_training

Split = Literal["validation", "test"]

FAMILIES = [
    *(*MNIST, *HANDWRITING, *PHOTOGRAPHS, *PRINTED, *CORRUPTIONS),
    *(*SIZES, *PANELS, *DISPLAYS, *PLATES, *NON_DIGITS, *NUMBERS, *GRIDS),
]
REAL_GROUPS = ("handwriting", "photograph", "printed")
"""Groups that resemble what users send; they are also read with black and white exchanged."""


@cache
def load_handwriting(folder: Path, split: Split) -> Digits:
    """Load the images of MNIST that are used as handwriting.

    Raises:
        InputError: a file is missing or damaged.
    """
    return load_test(folder) if split == "test" else load_training(folder)[1]
