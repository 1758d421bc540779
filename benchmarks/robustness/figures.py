"""Figures of a model: accuracy, AUROC, calibration error, fraction of uncertain answers."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.family import NO_DIGIT
from benchmarks.robustness.inputs import REAL_GROUPS, ModelInput
from mnist_cli.evaluation import calibration_error
from mnist_cli.loader import Model
from mnist_cli.prediction import digitness
from training.data import Batch

Values = NDArray[np.float64]


class FamilyResult(NamedTuple):
    """The answers of a model to a family."""

    input: ModelInput
    scores: Batch
    """float32 [K, 10]: one row for each picture in which a digit was found."""

    @property
    def accuracy(self) -> float:
        """Fraction of correct answers; a picture in which no digit was found counts as wrong."""
        correct = self.scores.argmax(axis=1) == self.input.labels[self.input.found]
        return float(correct.sum() / len(self.input.labels))

    @property
    def digitness(self) -> Values:
        """Digitness of each picture [N]; 0.0 where no digit was found."""
        values = np.zeros(len(self.input.found))
        values[self.input.found] = [digitness(row) for row in self.scores.tolist()]
        return values


def summarize(model: Model, inputs: Sequence[ModelInput]) -> dict[str, Any]:
    """Run a model on all families of one mode and return its figures as fractions.

    The calibration error is computed from answers only, without pictures in which no digit was
    found.
    """
    results = [FamilyResult(family, _predict(model, family.batch)) for family in inputs]
    not_inverted = [result for result in results if not result.input.inverted]
    digits = [result for result in not_inverted if (result.input.labels != NO_DIGIT).all()]
    non_digits = [result for result in not_inverted if (result.input.labels == NO_DIGIT).all()]
    real = [result for result in digits if result.input.group in REAL_GROUPS]
    inverted = [result for result in results if result.input.inverted]
    positives = _digitness([result for result in digits if result.input.group != "MNIST-C"])
    threshold = model.calibration.least_digitness
    accuracy: dict[str, dict[str, float]] = {}
    for result in digits:
        accuracy.setdefault(result.input.group, {})[result.input.name] = result.accuracy
    return {
        "accuracy": accuracy,
        "inverted": {
            group: _mean_accuracy(inverted, group) - _mean_accuracy(real, group)
            for group in REAL_GROUPS
        },
        "auroc": {
            **{result.input.name: auroc(positives, result.digitness) for result in non_digits},
            "overall": auroc(positives, _digitness(non_digits)),
        },
        "uncertain": {
            name: float(np.mean(_digitness(group) < threshold))
            for name, group in (("digits", real), ("no digit", non_digits))
        },
        "ece": calibration_error(
            np.concatenate([result.scores for result in real]),
            np.concatenate([result.input.labels[result.input.found] for result in real]),
        ),
    }


def auroc(positives: Values, negatives: Values) -> float:
    """Return the area under the ROC curve: the fraction of pairs in which the positive is higher.

    A tie counts as one half: J. Hanley and B. McNeil, "The Meaning and Use of the Area under a
    Receiver Operating Characteristic (ROC) Curve" (Radiology 143, 1982).
    """
    ordered = np.sort(negatives)
    below, up_to = (np.searchsorted(ordered, positives, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(negatives))


def _predict(model: Model, batch: Batch) -> Batch:
    return model.predict_proba(batch) if len(batch) else np.empty((0, 10), np.float32)


def _digitness(results: Sequence[FamilyResult]) -> Values:
    return np.concatenate([result.digitness for result in results])


def _mean_accuracy(results: Sequence[FamilyResult], group: str) -> float:
    return float(np.mean([result.accuracy for result in results if result.input.group == group]))
