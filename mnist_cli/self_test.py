"""Measures how a model expects its input, with 100 digits of MNIST.

The conventions are compared in the order of `CONVENTIONS`. One replaces the best so far if it is
clearly better: if it reads at least `MIN_ADVANTAGE` digits more, or no fewer and its log loss is
lower by at least `MIN_LOSS_ADVANTAGE`. The second rule separates scales: a network without biases
reads as many digits from 0..1 as from 0..255, but with other probabilities.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.class_labels import columns_of_digits, select_classes
from mnist_cli.conventions import CONVENTIONS, Convention
from mnist_cli.records import SelfTest
from mnist_cli.runtimes import Batch, Runtime, Scores
from mnist_cli.signature import SIDE

DIGITS_FILE = Path(__file__).with_name("self_test_digits.png")
"""A sheet of 10x10 images of MNIST, light on dark, a row for each digit; made by
`training/make_self_test.py`."""
IMAGES = 100
MIN_CORRECT = 60
"""Models that read fewer are probably no digit classifiers, or expect another input."""
# Chosen so that each of 30 networks (linear, dense, convolutional; trained with each convention)
# reads at most one digit less than with the best convention.
MIN_ADVANTAGE = 4
MIN_LOSS_ADVANTAGE = 0.1
"""In nats per image."""
LIMIT_TOLERANCE = 0.05
"""How far a value may exceed the range of a quantized input, as a fraction of the range."""
MIN_PROBABILITY = 1e-7
"""Limits the loss of one image."""


class _Measured(NamedTuple):
    convention: Convention
    classes: tuple[int, ...]
    correct: int
    loss: float

    def is_clearly_better(self, other: "_Measured") -> bool:
        advantage = self.correct - other.correct
        has_lower_loss = self.loss <= other.loss - MIN_LOSS_ADVANTAGE
        return advantage >= MIN_ADVANTAGE or (advantage >= 0 and has_lower_loss)


def run_self_test(
    runtime: Runtime,
    labels: tuple[str, ...] | None = None,
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> SelfTest:
    """Read the digits with every convention, and return the best one.

    Args:
        runtime: the model, with 10 outputs, or 11 of which the first or last is not a digit.
        labels: the labels of the outputs; None for the digits in ascending order.
        limits: the range of a quantized input; conventions that exceed it are left out.
    """
    images, digits = load_digits()
    best: _Measured | None = None
    for convention in CONVENTIONS.values():
        if not _fits(convention, limits) and best:
            continue
        scores = runtime.predict_proba(convention.apply(images))
        for classes in _class_orders(scores.shape[1], labels):
            correct, loss = _measure(select_classes(scores, classes), digits)
            measured = _Measured(convention, classes, correct, loss)
            if best is None or measured.is_clearly_better(best):
                best = measured
    assert best is not None
    return {
        "input": best.convention.name,
        "classes": list(best.classes),
        "correct": best.correct,
        "images": IMAGES,
    }


def load_digits() -> tuple[Batch, npt.NDArray[np.int64]]:
    """Return the images, float32 [100, 784] with foreground 1.0, and their digits [100]."""
    with Image.open(DIGITS_FILE) as sheet:
        pixels = np.asarray(sheet) / 255
    images = pixels.reshape(10, SIDE, 10, SIDE).swapaxes(1, 2).reshape(IMAGES, SIDE * SIDE)
    return images.astype(np.float32), np.repeat(np.arange(10), 10)


def _fits(convention: Convention, limits: tuple[float, float]) -> bool:
    tolerance = LIMIT_TOLERANCE * (limits[1] - limits[0])
    values = (convention.background, convention.foreground)
    return limits[0] - tolerance <= min(values) and max(values) <= limits[1] + tolerance


def _class_orders(count: int, labels: tuple[str, ...] | None) -> list[tuple[int, ...]]:
    if labels and len(labels) == count and (columns := columns_of_digits(labels)):
        return [columns]
    return [tuple(range(first, first + 10)) for first in range(count - 9)]


def _measure(scores: Scores, digits: npt.NDArray[np.int64]) -> tuple[int, float]:
    """Return the number of correct predictions and the mean log loss."""
    scores = np.nan_to_num(scores)  # large values overflow in float16
    probabilities = scores[np.arange(len(digits)), digits]
    loss = -np.log(np.maximum(probabilities, MIN_PROBABILITY)).mean()
    return int((scores.argmax(axis=1) == digits).sum()), float(loss)
