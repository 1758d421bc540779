"""Fits the temperature and the uncertainty threshold of a model, on validation images."""

import numpy as np

from mnist_cli.calibration import Calibration
from mnist_cli.loader import Model
from mnist_cli.prediction import digitness
from training.data import Batch, Labels
from training.recipes.models import CALIBRATION


def fit_calibration(model: Model, mnist: Batch, mixed: Batch, labels: Labels) -> Calibration:
    """Fit the calibration of a model that has none yet.

    The temperature maximizes the likelihood (Guo et al. 2017, section 4.2) on digits of all kinds.
    Fitted on MNIST alone, it would be too low for the others.

    Args:
        model: not calibrated.
        mnist: MNIST validation digits, float32 [N, 784].
        mixed: MNIST and synthetic digits, float32 [M, 784].
        labels: of `mixed`, int64 [M].
    """
    scores = model.predict_proba(mixed)

    def loss(temperature: float) -> float:
        probabilities = Calibration(temperature).calibrated(scores)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(probabilities, 1e-30)).mean())

    candidates = np.geomspace(*CALIBRATION.temperatures)
    temperature = round(float(min(candidates, key=loss)), 3)
    calibrated = Calibration(temperature).calibrated(model.predict_proba(mnist))
    digitnesses = [digitness(row) for row in calibrated.tolist()]
    threshold = float(np.quantile(digitnesses, 1 - CALIBRATION.coverage))
    return Calibration(temperature, round(threshold, 4))
