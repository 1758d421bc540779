"""Recognizes whether the outputs of a model are probabilities, and turns them into such."""

from typing import Literal, TypeAlias

import numpy as np

from mnist_cli.class_labels import MIN_SUM
from mnist_cli.errors import ModelError
from mnist_cli.runtimes import Batch, Scores
from mnist_cli.signature import CLASS_COUNTS

PROBABILITY_TOLERANCE = 0.01
"""How far the sum of ten probabilities may be from 1; float16 has a precision of 0.001, and ten
8-bit outputs, on average, of 0.004."""
Activation: TypeAlias = Literal["none", "softmax", "scale"]
"""What outputs lack to be probabilities that sum to 1; `scale` divides by their sum."""


def test_images() -> Batch:
    """Return an empty, a full and a noisy image, float32 [3, 784]."""
    noise = np.random.default_rng(0).random(784, np.float32)
    return np.stack([np.zeros(784, np.float32), np.ones(784, np.float32), noise])


def missing_activation(outputs: Scores) -> Activation:
    """Return what the outputs for the test images lack.

    Raises:
        ModelError: they are not scores of the ten digits.
    """
    if (count := outputs.shape[1]) not in CLASS_COUNTS:
        raise ModelError(f"unsupported output: expected 10 scores per image, got {count}")
    if not np.isfinite(outputs).all():
        raise ModelError("unsupported output: the scores of some images are not finite")
    if ((outputs < 0) | (outputs > 1)).any():
        return "softmax"
    if np.allclose(outputs.sum(axis=1), 1, atol=PROBABILITY_TOLERANCE):
        return "none"
    return "scale"  # independent probabilities, from a sigmoid


def activate(scores: Scores, activation: Activation) -> Scores:
    """Turn scores [N, C] into probabilities."""
    if activation == "softmax":
        with np.errstate(invalid="ignore"):  # infinite scores
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    elif activation == "none":
        return scores
    probabilities: Scores = scores / np.maximum(scores.sum(axis=1, keepdims=True), MIN_SUM)
    return probabilities
