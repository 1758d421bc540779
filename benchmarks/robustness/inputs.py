"""Model inputs: each family is generated once and preprocessed in each mode."""

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
REAL_GROUPS = ("handwriting", "photograph", "printed")
"""Groups that resemble what users send; they are also read with black and white exchanged."""


class ModelInput(NamedTuple):
    """The pictures of a family, preprocessed in one mode."""

    group: str
    name: str
    mode: Preprocess
    inverted: bool
    """Whether black and white were exchanged before preprocessing."""
    batch: Batch
    """float32 [K, 784]: the pictures in which a digit was found."""
    found: NDArray[np.bool_]
    """bool [N]: whether a digit was found in each picture."""
    labels: Labels
    """int64 [N]."""


def preprocess_families(
    folder: Path, split: Split, count: int, advance: Callable[[], None] = lambda: None
) -> list[ModelInput]:
    """Generate and preprocess all families on all cores; call `advance` after each family.

    Raises:
        InputError: a file of MNIST is missing or damaged.
    """
    preprocess = partial(_preprocess_family, folder, split, count)
    inputs = []
    # Spawned: a fork is not safe if a library has started threads.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for family_inputs in pool.map(preprocess, range(len(FAMILIES))):
            inputs += family_inputs
            advance()
    return inputs


@cache
def load_handwriting(folder: Path, split: Split) -> Digits:
    """Load the images of MNIST that are used as handwriting.

    Raises:
        InputError: a file is missing or damaged.
    """
    return load_test(folder) if split == "test" else load_training(folder)[1]


def _preprocess_family(folder: Path, split: Split, count: int, index: int) -> list[ModelInput]:
    family = FAMILIES[index]
    pictures = list(family.pictures(load_handwriting(folder, split), count))
    labels = np.array([picture.label for picture in pictures])
    inputs = []
    for mode in MODES:
        for inverted in (False, True) if family.group in REAL_GROUPS else (False,):
            rows = [_preprocess(picture.pixels, family, mode, inverted) for picture in pictures]
            found = np.array([row is not None for row in rows])
            kept = [row for row in rows if row is not None]
            batch = np.concatenate([np.empty((0, 784), np.float32), *kept])
            inputs.append(
                ModelInput(family.group, family.name, mode, inverted, batch, found, labels)
            )
    return inputs


def _preprocess(pixels: Pixels, family: Family, mode: Preprocess, inverted: bool) -> Batch | None:
    """Return float32 [1, 784], or None if no digit is found."""
    # `plain` does not detect polarity, so it gets dark ink, which is the polarity of MNIST-C.
    if inverted or (family.light_ink and mode == "plain"):
        pixels = 255 - pixels
    try:
        return preprocess_batch([pixels], mode)
    except InputError:
        return None
