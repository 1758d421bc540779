"""Reads the pictures of each family with all models, in each preprocessing mode."""

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.robustness.catalogue import FAMILIES, REAL_GROUPS, Split, load_handwriting
from benchmarks.robustness.family import NUMBER_GROUP, Family, Picture
from mnist_cli import images
from mnist_cli.errors import InputError
from mnist_cli.loader import Model, load_model
from mnist_cli.option_types import PREPROCESSES, Preprocess
from mnist_cli.picture import Picture as DecodedPicture
from mnist_cli.prediction import Digit
from mnist_cli.preprocessing import Prepared, prepare, search
from mnist_cli.recognition import read_number, read_prepared
from training.data import Batch, Labels


class DigitAnswers(NamedTuple):
    """The answers of a model to a family of single digits, or of pictures without one."""

    model: str
    group: str
    name: str
    mode: Preprocess
    inverted: bool
    """Whether black and white were exchanged."""
    labels: Labels
    """int64 [N]."""
    found: NDArray[np.bool_]
    """bool [N]: whether a digit was found in each picture."""
    scores: Batch
    """float32 [N, 10]; 0.0 where no digit was found."""
    digitness: NDArray[np.float64]
    """float64 [N]; 0.0 where no digit was found."""
    uncertain: NDArray[np.bool_]
    """bool [N]; true where no digit was found."""

    @property
    def accuracy(self) -> float:
        """Fraction of correct answers; a picture in which no digit was found counts as wrong."""
        correct = (self.scores.argmax(axis=1) == self.labels) & self.found
        return float(correct.mean())


class NumberAnswers(NamedTuple):
    """The answers of a model to a family of numbers."""

    model: str
    name: str
    texts: list[tuple[str, str]]
    """For each picture the expected digits and those that were read, in lines."""


Answers = DigitAnswers | NumberAnswers


def read_families(
    folder: Path,
    split: Split,
    count: int,
    models: Sequence[str],
    advance: Callable[[], None] = lambda: None,
) -> list[Answers]:
    """Generate and read all families on all cores; call `advance` after each family.

    Raises:
        InputError: a file of MNIST is missing or damaged.
        ModelError: a model cannot be loaded.
    """
    read = partial(_read_family, folder, split, count, models)
    answers: list[Answers] = []
    # Spawned: a fork is not safe if a library has started threads.
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        for of_family in pool.map(read, range(len(FAMILIES))):
            answers += of_family
            advance()
    return answers


def _read_family(
    folder: Path, split: Split, count: int, names: Sequence[str], index: int
) -> list[Answers]:
    family, models = FAMILIES[index], [_load_model(name) for name in names]
    pictures = list(family.pictures(load_handwriting(folder, split), count))
    if family.group == NUMBER_GROUP:
        return [_read_numbers(model, family, pictures) for model in models]
    answers: list[Answers] = []
    for mode in PREPROCESSES:
        for inverted in (False, True) if family.group in REAL_GROUPS else (False,):
            answers += _read_digits(models, family, pictures, mode, inverted)
    return answers


_load_model = cache(load_model)


def _read_numbers(model: Model, family: Family, pictures: Sequence[Picture]) -> NumberAnswers:
    texts = []
    for picture in pictures:
        number = read_number(model, images.from_image(Image.fromarray(picture.pixels)))
        texts.append((picture.text, number.text))
    return NumberAnswers(model.name, family.name, texts)


def _read_digits(
    models: Sequence[Model],
    family: Family,
    pictures: Sequence[Picture],
    mode: Preprocess,
    inverted: bool,
) -> list[DigitAnswers]:
    # `plain` does not detect polarity, so it gets dark ink, which is the polarity of MNIST-C.
    exchange = inverted or (family.light_ink and mode == "plain")
    decoded = [
        images.from_image(Image.fromarray(255 - picture.pixels if exchange else picture.pixels))
        for picture in pictures
    ]
    prepared = [_prepare(picture, mode) for picture in decoded]
    found = np.array([picture is not None for picture in prepared])

    @cache
    def searched(index: int) -> Prepared:
        before = prepared[index]
        assert before is not None  # only clean pictures are searched again
        return search(decoded[index], before)

    labels = np.array([picture.label for picture in pictures])
    answers = []
    for model in models:
        scores, digitness = np.zeros((len(pictures), 10), np.float32), np.zeros(len(pictures))
        uncertain = np.ones(len(pictures), bool)
        for index, digit in _read_prepared(model, prepared, searched).items():
            scores[index], digitness[index] = digit.scores, digit.digitness
            uncertain[index] = digit.uncertain
        of_family = (model.name, family.group, family.name, mode, inverted, labels)
        answers.append(DigitAnswers(*of_family, found, scores, digitness, uncertain))
    return answers


def _prepare(picture: DecodedPicture, mode: Preprocess) -> Prepared | None:
    try:
        return prepare(picture, mode)
    except InputError:
        return None


def _read_prepared(
    model: Model, prepared: Sequence[Prepared | None], searched: Callable[[int], Prepared]
) -> dict[int, Digit]:
    """Return the digits of pictures by index, without those in which no digit was found.

    Does the same as `DigitModel.predict_many`, but with a search that all models share.
    """
    clean = {index: picture for index, picture in enumerate(prepared) if picture}
    first = dict(zip(clean, read_prepared(model, [*clean.values()]), strict=True))
    again = {index: searched(index) for index, digit in first.items() if digit is None}
    second = dict(zip(again, read_prepared(model, [*again.values()]), strict=True))
    return {index: digit for index, digit in (first | second).items() if digit}
