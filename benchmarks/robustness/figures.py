"""From inputs to figures: what a model reads, how surely, and what it takes for a digit."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.family import NO_DIGIT
from benchmarks.robustness.inputs import REAL, Input
from mnist_cli.evaluation import calibration_error
from mnist_cli.loader import Model
from mnist_cli.prediction import digitness
from training.data import Batch

Values = NDArray[np.float64]


class Answers(NamedTuple):
    """What a model says to a family."""

    input: Input
    scores: Batch
    """float32 [K, 10]: to the pictures in which framing found something."""

    @property
    def accuracy(self) -> float:
        """The fraction read rightly; where nothing was found, nothing was read rightly."""
        right = self.scores.argmax(axis=1) == self.input.labels[self.input.found]
        return float(right.sum() / len(self.input.labels))

    @property
    def digitness(self) -> Values:
        """How much each picture looks like a digit [N]; 0.0 where nothing was found."""
        values = np.zeros(len(self.input.found))
        values[self.input.found] = [digitness(row) for row in self.scores.tolist()]
        return values


def summary(model: Model, inputs: Sequence[Input]) -> dict[str, Any]:
    """Let a model read all inputs of one mode -> its figures, all of them fractions.

    The calibration error is that of the answers: a picture in which nothing was found has none.
    """
    answers = [Answers(given, _scores(model, given.batch)) for given in inputs]
    upright = [given for given in answers if not given.input.turned]
    digits = [given for given in upright if (given.input.labels != NO_DIGIT).all()]
    others = [given for given in upright if (given.input.labels == NO_DIGIT).all()]
    real = [given for given in digits if given.input.group in REAL]
    turned = [given for given in answers if given.input.turned]
    shown = np.concatenate([given.digitness for given in digits if given.input.group != "MNIST-C"])
    least = model.calibration.least_digitness
    accuracy: dict[str, dict[str, float]] = {}
    for given in digits:
        accuracy.setdefault(given.input.group, {})[given.input.name] = given.accuracy
    return {
        "accuracy": accuracy,
        "inverted": {group: _mean(turned, group) - _mean(real, group) for group in REAL},
        "auroc": {
            **{given.input.name: auroc(shown, given.digitness) for given in others},
            "overall": auroc(shown, np.concatenate([given.digitness for given in others])),
        },
        "uncertain": {
            name: float(np.mean(np.concatenate([given.digitness for given in group]) < least))
            for name, group in (("digits", real), ("no digit", others))
        },
        "ece": calibration_error(
            np.concatenate([given.scores for given in real]),
            np.concatenate([given.input.labels[given.input.found] for given in real]),
        ),
    }


def auroc(positives: Values, negatives: Values) -> float:
    """How often a positive has the higher value of a pair, the area under the ROC curve.

    A tie counts a half: J. Hanley and B. McNeil, "The Meaning and Use of the Area under a Receiver
    Operating Characteristic (ROC) Curve" (Radiology 143, 1982).
    """
    ordered = np.sort(negatives)
    below, up_to = (np.searchsorted(ordered, positives, side) for side in ("left", "right"))
    return float((below + up_to).mean() / 2 / len(negatives))


def _scores(model: Model, batch: Batch) -> Batch:
    return model.predict_proba(batch) if len(batch) else np.empty((0, 10), np.float32)


def _mean(answers: Sequence[Answers], group: str) -> float:
    return float(np.mean([given.accuracy for given in answers if given.input.group == group]))
