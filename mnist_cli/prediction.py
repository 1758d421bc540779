"""From the scores of a model to what people ask for: the digit, and how sure the model is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from mnist_cli.loader import Model
from mnist_cli.runtimes import Batch


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
    threshold = model.calibration.least_digitness
    return [_prediction(scores, threshold) for scores in model.predict_proba(batch).tolist()]


def _prediction(scores: list[float], threshold: float) -> Prediction:
    digit = scores.index(max(scores))
    confidence = digitness(scores)
    return Prediction(
        digit,
        round(100 * scores[digit], 2),
        tuple(scores),
        round(confidence, 4),
        confidence < threshold,
    )


def digitness(scores: Sequence[float]) -> float:
    """How surely there is one digit in a picture with these ten scores, in [0, 1].

    1 - H(p) / log 10, where H is the entropy: 0 for ten equal scores. The models learn to answer
    with equal scores where there is no digit: Hendrycks, Mazeika and Dietterich, "Deep Anomaly
    Detection with Outlier Exposure" (ICLR 2019). Two digits that share all scores leave 0.7: the
    picture may well be one of the two.
    """
    information = sum(score * math.log(score) for score in scores if score > 0)
    return min(max(1 + information / math.log(10), 0.0), 1.0)
