"""Figures of a model: accuracy, AUROC, calibration error, uncertain answers, numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.answers import Answers, DigitAnswers, NumberAnswers
from benchmarks.robustness.catalogue import REAL_GROUPS
from benchmarks.robustness.family import NO_DIGIT
from benchmarks.scoring import Values, auroc, digit_error_rate
from mnist_cli.evaluation import calibration_error

POSITIVE_GROUPS = ("MNIST", *REAL_GROUPS)
"""Groups whose digitness is compared with that of pictures without a digit."""


def summarize(answers: Sequence[Answers]) -> dict[str, Any]:
    """Return the figures of one model in one mode as fractions.

    The calibration error is computed from answers only, without pictures in which no digit was
    found.
    """
    single = [family for family in answers if isinstance(family, DigitAnswers)]
    not_inverted = [family for family in single if not family.inverted]
    digits = [family for family in not_inverted if (family.labels != NO_DIGIT).all()]
    non_digits = [family for family in not_inverted if (family.labels == NO_DIGIT).all()]
    real = [family for family in digits if family.group in REAL_GROUPS]
    inverted = [family for family in single if family.inverted]
    positives = _digitness([family for family in digits if family.group in POSITIVE_GROUPS])
    accuracy: dict[str, dict[str, float]] = {}
    for family in digits:
        accuracy.setdefault(family.group, {})[family.name] = family.accuracy
    return {
        "accuracy": accuracy,
        "inverted": {
            group: _mean_accuracy(inverted, group) - _mean_accuracy(real, group)
            for group in REAL_GROUPS
        },
        "auroc": {
            **{family.name: auroc(positives, family.digitness) for family in non_digits},
            "overall": auroc(positives, _digitness(non_digits)),
        },
        "uncertain": {
            name: float(np.concatenate([family.uncertain for family in group]).mean())
            for name, group in (("digits", real), ("no digit", non_digits))
        },
        "ece": calibration_error(
            np.concatenate([family.scores[family.found] for family in real]),
            np.concatenate([family.labels[family.found] for family in real]),
        ),
        "numbers": {
            family.name: {
                "exact": float(np.mean([expected == read for expected, read in family.texts])),
                "digit_error": digit_error_rate(family.texts),
            }
            for family in answers
            if isinstance(family, NumberAnswers)
        },
    }


def _digitness(families: Sequence[DigitAnswers]) -> Values:
    digitness: NDArray[np.float64] = np.concatenate([family.digitness for family in families])
    return digitness


def _mean_accuracy(families: Sequence[DigitAnswers], group: str) -> float:
    return float(np.mean([family.accuracy for family in families if family.group == group]))
