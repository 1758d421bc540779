"""Scores of answers: area under the ROC curve, calibration error, edit distance."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

RELIABILITY_BINS = 15  # as in `mnist evaluate`

Values = NDArray[np.float64]


def auroc(positives: Values, negatives: Values) -> float:
    """Return the area under the ROC curve: the fraction of pairs in which the positive is higher.

    A tie counts as one half: J. Hanley and B. McNeil, "The Meaning and Use of the Area under a
    Receiver Operating Characteristic (ROC) Curve" (Radiology 143, 1982).
    """
    ordered = np.sort(negatives)
    below, up_to = (np.searchsorted(ordered, positives, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(negatives))


def calibration_error(confidence: Values, correct: NDArray[np.bool_]) -> float:
    """Return the expected calibration error (ECE) of answers, 0 to 1.

    `mnist_cli.evaluation` computes it from the scores; this function also takes missing answers,
    which have the confidence 0 and are wrong.
    """
    index = np.clip(np.ceil(confidence * RELIABILITY_BINS).astype(int) - 1, 0, RELIABILITY_BINS - 1)
    gaps = np.bincount(index, confidence - correct, RELIABILITY_BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def digit_error_rate(texts: Iterable[tuple[str, str]]) -> float:
    """Return the sum of the edit distances over the number of digits.

    Args:
        texts: for each picture the expected digits and those that were read, in lines.
    """
    pairs = list(texts)
    errors = sum(edit_distance(expected, read) for expected, read in pairs)
    return errors / sum(len(expected.replace("\n", "")) for expected, _ in pairs)


def edit_distance(one: str, other: str) -> int:
    """Return the fewest insertions, deletions and substitutions that turn one text into another.

    V. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals"
    (Soviet Physics Doklady 10, 1966).
    """
    previous = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, candidate in enumerate(other, 1):
            replaced = previous[column - 1] + (letter != candidate)
            current.append(min(previous[column] + 1, current[-1] + 1, replaced))
        previous = current
    return previous[-1]
