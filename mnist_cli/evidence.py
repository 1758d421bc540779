"""Combines the probabilities of the model with what the detector found."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mnist_cli.arrays import Floats
from mnist_cli.prediction import digitness
from mnist_cli.preprocessing.candidates import Candidate
from mnist_cli.preprocessing.detector import Detection
from mnist_cli.preprocessing.parameters import DETECTOR, RECOGNITION


class Evidence(NamedTuple):
    """What the detector and the model say about one digit."""

    scores: Floats
    """float32 [10], the probabilities of the digits; they sum to 1."""
    score: float
    """Score of the detection, for one digit the mean over all looks, 0 to 1."""
    share: float
    """Mean of `Candidate.share` over all looks, 0 to 1; for a digit of a number 1."""

    @property
    def digitness(self) -> float:
        """The confidence that the picture shows exactly one digit, 0 to 1."""
        logit = (
            RECOGNITION.score_weight * self.score
            + RECOGNITION.share_weight * self.share
            + RECOGNITION.certainty_weight * digitness(self.scores.tolist())
            + RECOGNITION.digitness_bias
        )
        return 1 / (1 + math.exp(-logit))


def combine(candidates: Sequence[Candidate], rows: Sequence[Floats]) -> Evidence:
    """Combine the candidates of a picture that the detector has searched.

    Args:
        candidates: the candidates of the picture.
        rows: the model's probabilities for each candidate, float32 [10].
    """
    logits, total = np.zeros(10, np.float32), 0.0
    for candidate, row in zip(candidates, rows, strict=True):
        if candidate.detection:
            logits += candidate.detection.score * _log_product(
                candidate.detection, row, RECOGNITION.detector_weight, RECOGNITION.model_weight
            )
            total += candidate.detection.score
    logits /= max(total, RECOGNITION.min_total_score)
    for candidate, row in zip(candidates, rows, strict=True):
        if not candidate.detection:
            logits += RECOGNITION.classical_weight * _log(row, RECOGNITION.model_floor)
    found = sum(candidate.detection is not None for candidate in candidates)
    look_count = max(found, len(DETECTOR.single_sides_px))
    share = sum(candidate.share for candidate in candidates)
    return Evidence(_softmax(logits), total / look_count, share / look_count)


def combine_in_number(detection: Detection, row: Floats) -> Evidence:
    """Combine a detection in a number with the model's probabilities for its crop, float32 [10]."""
    logits = _log_product(detection, row, 1.0, RECOGNITION.number_model_weight)
    return Evidence(_softmax(logits), detection.score, 1.0)


def _log_product(
    detection: Detection, row: Floats, detector_weight: float, model_weight: float
) -> Floats:
    """Return the weighted sum of the logarithms of both networks' probabilities, float32 [10]."""
    detector = _log(detection.classes, RECOGNITION.detector_floor)
    return detector_weight * detector + model_weight * _log(row, RECOGNITION.model_floor)


def _log(probabilities: Floats, floor: float) -> Floats:
    return np.asarray(np.log(probabilities + np.float32(floor)), np.float32)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), np.float32)
