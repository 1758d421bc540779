"""AUROC, calibration error and edit distance of the benchmarks."""

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("benchmarks", reason="comes with a checkout only")

from benchmarks.scoring import auroc, calibration_error, digit_error_rate, edit_distance
from mnist_cli import evaluation


def _values(*numbers: float) -> npt.NDArray[np.float64]:
    return np.array(numbers)


@pytest.mark.parametrize(
    ("positives", "negatives", "area"),
    [
        (_values(0.9, 0.8), _values(0.1, 0.2, 0.3), 1.0),
        (_values(0.1), _values(0.5, 0.9), 0.0),
        (_values(0.5, 0.5), _values(0.5, 0.5, 0.5), 0.5),
        # Five of six pairs are in order, and one is a tie.
        (_values(0.9, 0.8, 0.4), _values(0.1, 0.4), 5.5 / 6),
        (_values(0.2, 0.6), _values(0.4), 0.5),
    ],
)
def test_auroc(
    positives: npt.NDArray[np.float64], negatives: npt.NDArray[np.float64], area: float
) -> None:
    assert auroc(positives, negatives) == pytest.approx(area)
    assert auroc(negatives, positives) == pytest.approx(1 - area)


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(0)
    positives, negatives = rng.integers(2, 12, 70) / 10, rng.integers(0, 9, 90) / 10
    above = positives[:, None] > negatives
    ties = positives[:, None] == negatives
    assert auroc(positives, negatives) == pytest.approx((above + ties / 2).mean())


def test_calibration_error_is_that_of_mnist_evaluate() -> None:
    rng = np.random.default_rng(0)
    scores = rng.dirichlet(np.full(10, 0.2), 500).astype(np.float32)
    labels = rng.integers(0, 10, 500)
    confidence = scores.max(axis=1).astype(np.float64)
    error = calibration_error(confidence, scores.argmax(axis=1) == labels)
    assert error == pytest.approx(evaluation.calibration_error(scores, labels))


def test_missing_answers_have_no_calibration_error() -> None:
    assert calibration_error(_values(0, 0), np.array([False, False])) == 0
    assert calibration_error(_values(0, 1), np.array([False, False])) == 0.5


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [
        ("", "", 0),
        ("505", "505", 0),
        ("53", "153", 1),
        ("3025", "325", 1),
        ("21032018", "2110312018", 2),
        ("12", "", 2),
        ("12", "21", 2),
        ("123", "456", 3),
        ("12\n3", "123", 1),
    ],
)
def test_edit_distance(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == distance


def test_digit_error_rate_counts_digits_only() -> None:
    assert digit_error_rate([("53", "153"), ("12\n3", "123")]) == 2 / 5
