"""Turns the scores of a model into a digit with a probability and a confidence."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Prediction(NamedTuple):
    """The prediction for one picture."""

    digit: int
    """The digit with the highest score."""
    probability: float
    """The score of that digit in percent, rounded to two decimals."""
    scores: tuple[float, ...]
    """The probabilities of the digits 0 to 9, each in [0, 1]; they sum to 1."""
    digitness: float
    """Confidence that the picture shows exactly one digit, in [0, 1], rounded to four decimals."""
    uncertain: bool
    """Whether the digitness is below `least_digitness` of the model; for 1 % of MNIST it is."""


def make_prediction(scores: list[float], confidence: float, threshold: float) -> Prediction:
    """Return the prediction for ten scores.

    Args:
        scores: the probabilities of the digits 0 to 9.
        confidence: the digitness, 0 to 1.
        threshold: the digitness below which the prediction is uncertain.
    """
    digit = scores.index(max(scores))
    return Prediction(
        digit,
        round(100 * scores[digit], 2),
        tuple(scores),
        round(confidence, 4),
        confidence < threshold,
    )


def joint_probability(probabilities: Iterable[float]) -> float:
    """Return the product of probabilities, all in percent, rounded to two decimals."""
    return round(100 * math.prod(probability / 100 for probability in probabilities), 2)


def digitness(scores: Sequence[float]) -> float:
    """Return the confidence that a picture with these ten scores shows exactly one digit.

    It is 1 - H(p) / log 10, where H is the entropy: 0 if all ten digits are equally likely, 1 if
    one is certain, and 0.7 if two are equally likely. The models are trained to return equal scores
    for pictures without a digit (D. Hendrycks, M. Mazeika and T. Dietterich, "Deep Anomaly
    Detection with Outlier Exposure", ICLR 2019).
    """
    information = sum(score * math.log(score) for score in scores if score > 0)
    return min(max(1 + information / math.log(10), 0.0), 1.0)
