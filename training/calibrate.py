"""Fits the calibration of a model: what it is calibrated by is no training and no test image."""

import numpy as np

from mnist_cli.calibration import Calibration
from mnist_cli.loader import Model
from mnist_cli.prediction import digitness
from training.data import Batch, Labels

COVERAGE = 0.99
"""The part of MNIST that is not to be called uncertain."""
TEMPERATURES = np.geomspace(0.5, 3, 200)


def fit_calibration(model: Model, mnist: Batch, mixed: Batch, labels: Labels) -> Calibration:
    """Find temperature and threshold of a model that has none yet.

    The temperature is that of the greatest likelihood (Guo et al. 2017, section 4.2) on digits of
    all kinds; on those of MNIST alone it would be too low for all others.

    Args:
        model: the model, not calibrated.
        mnist: validation digits of MNIST, float32 [N, 784].
        mixed: digits of MNIST and others, float32 [M, 784].
        labels: what they are, int64 [M].
    """
    scores = model.predict_proba(mixed)

    def loss(temperature: float) -> float:
        true = Calibration(temperature).calibrated(scores)[np.arange(len(labels)), labels]
        return float(-np.log(np.maximum(true, 1e-30)).mean())

    temperature = round(float(min(TEMPERATURES, key=loss)), 3)
    calibrated = Calibration(temperature).calibrated(model.predict_proba(mnist))
    confidence = [digitness(row) for row in calibrated.tolist()]
    return Calibration(temperature, round(float(np.quantile(confidence, 1 - COVERAGE)), 4))
