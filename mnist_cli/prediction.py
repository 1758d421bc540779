"""From the scores of a model to what people ask for: the digit, and how sure the model is."""

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


def predict(model: Model, batch: Batch) -> list[Prediction]:
    """Answer each picture of a batch [N, 784] float32, ink 1.0 and paper 0.0."""
    return [_prediction(row) for row in model.predict_proba(batch).tolist()]


def _prediction(scores: list[float]) -> Prediction:
    digit = max(range(10), key=scores.__getitem__)
    return Prediction(digit, round(100 * scores[digit], 2), tuple(scores))
