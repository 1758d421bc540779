"""From families to what the models take: each picture is drawn once, then framed once a mode."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.corruptions import CORRUPTIONS, MNIST
from benchmarks.robustness.family import Family, Pixels
from benchmarks.robustness.non_digits import NON_DIGITS
from benchmarks.robustness.photographs import HANDWRITING, PHOTOGRAPHS
from benchmarks.robustness.printed import PRINTED
from mnist_cli.errors import InputError
from mnist_cli.option_types import Preprocess
from mnist_cli.reshape import preprocess_batch
from training.data import Batch, Digits, Labels, load_test, load_training

Split = Literal["validation", "test"]

MODES: tuple[Preprocess, ...] = get_args(Preprocess)
FAMILIES = [*MNIST, *HANDWRITING, *PHOTOGRAPHS, *PRINTED, *CORRUPTIONS, *NON_DIGITS]
REAL = ("handwriting", "photograph", "printed")
"""The groups of what people hand in: they are framed with their polarity turned, too."""


class Input(NamedTuple):
    """A family as the models take it, in one mode."""

    group: str
    name: str
    mode: Preprocess
    turned: bool
    """Whether black and white have changed places."""
    batch: Batch
    """float32 [K, 784]: the pictures in which framing found something."""
    found: NDArray[np.bool_]
    """bool [N]: which of all pictures these are."""
    labels: Labels
    """int64 [N]."""


def frame_all(
    folder: Path, split: Split, count: int, advance: Callable[[], None] = lambda: None
) -> list[Input]:
    """Draw and frame all families on all cores; `advance` hears of each that is done.

    Raises:
        InputError: a file of MNIST is missing or damaged.
    """
    frame = partial(_frame_family, folder, split, count)
    inputs = []
    # Spawned: Python does not fork safely where a library has threads.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for framed in pool.map(frame, range(len(FAMILIES))):
            inputs += framed
            advance()
    return inputs


@cache
def digits_of(folder: Path, split: Split) -> Digits:
    """The handwriting of which pictures are made.

    Raises:
        InputError: a file is missing or damaged.
    """
    return load_test(folder) if split == "test" else load_training(folder)[1]


def _frame_family(folder: Path, split: Split, count: int, index: int) -> list[Input]:
    family = FAMILIES[index]
    pictures = list(family.pictures(digits_of(folder, split), count))
    labels = np.array([picture.label for picture in pictures])
    inputs = []
    for mode in MODES:
        for turned in (False, True) if family.group in REAL else (False,):
            rows = [_framed(picture.pixels, family, mode, turned) for picture in pictures]
            found = np.array([row is not None for row in rows])
            kept = [row for row in rows if row is not None]
            batch = np.concatenate([np.empty((0, 784), np.float32), *kept])
            inputs.append(Input(family.group, family.name, mode, turned, batch, found, labels))
    return inputs


def _framed(pixels: Pixels, family: Family, mode: Preprocess, turned: bool) -> Batch | None:
    """Return float32 [1, 784], or None where framing finds nothing."""
    # `plain` knows no polarity: it gets dark ink, so that MNIST-C is read as its authors read it.
    if turned or (family.light_ink and mode == "plain"):
        pixels = 255 - pixels
    try:
        return preprocess_batch([pixels], mode)
    except InputError:
        return None
