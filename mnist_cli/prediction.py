"""From the scores of a model to what people ask for: the digit, and how sure the model is."""

from dataclasses import dataclass

import numpy as np

from mnist_cli.loader import Model
from mnist_cli.runtimes import Batch

TINY = np.finfo(np.float32).tiny
LOG_10 = np.log(10)


@dataclass(frozen=True)
class Prediction:
    """The answer for one picture."""

    digit: int
    """The digit with the highest score."""
    probability: float
    """The score of that digit in percent, rounded to two places."""
    scores: tuple[float, ...]
    """The probabilities of the digits 0 to 9, each in [0, 1]; they sum to 1."""
    digitness: float
    """How surely there is one digit in the picture, in [0, 1], rounded to four places."""
    uncertain: bool
    """Whether there is less of that than in 99 % of the digits of MNIST."""


def predict(model: Model, batch: Batch) -> list[Prediction]:
    """Answer each picture of a batch [N, 784] float32, ink 1.0 and paper 0.0."""
    scores = model.predict_proba(batch)
    rows = zip(scores.tolist(), digitness(scores).tolist(), strict=True)
    return [_prediction(row, digit, model.calibration.least_digitness) for row, digit in rows]


def _prediction(scores: list[float], digitness: float, least: float) -> Prediction:
    digit = scores.index(max(scores))
    return Prediction(
        digit, round(100 * scores[digit], 2), tuple(scores), round(digitness, 4), digitness < least
    )


def digitness(scores: Batch) -> Batch:
    """How surely there is one digit in each picture, [N, 10] -> [N] in [0, 1].

    1 - H(p) / log 10, where H is the entropy: 0 for ten equal scores. The models learn to answer
    with equal scores where there is no digit: Hendrycks, Mazeika and Dietterich, "Deep Anomaly
    Detection with Outlier Exposure" (ICLR 2019). Two digits that share all scores leave 0.7: the
    picture may well be one of the two.
    """
    information = (scores * np.log(np.maximum(scores, TINY))).sum(axis=1)
    told: Batch = np.minimum(np.maximum(1 + information / LOG_10, 0), 1)
    return told
