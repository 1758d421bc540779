"""Figures of merit from the ten scores of each image."""

import numpy as np
from numpy.typing import NDArray

from training.data import Labels

Scores = NDArray[np.float32]
"""float32 [N, 10], each row sums to 1."""


def accuracy(scores: Scores, labels: Labels) -> float:
    """Return the fraction of images whose highest score is at the true digit."""
    return float((scores.argmax(axis=1) == labels).mean())


def calibration_error(scores: Scores, labels: Labels, bins: int = 15) -> float:
    """Return the expected calibration error, 0 (honest) to 1.

    The mean distance between confidence and accuracy over equally wide bins of confidence, weighted
    by their images: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks"
    (ICML 2017), equation 3.
    """
    confidence = scores.max(axis=1).astype(np.float64)
    right = scores.argmax(axis=1) == labels
    # Intervals open on the left, as in the paper; float32 rows may sum to a hair more than 1.
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    surplus = np.bincount(index, weights=confidence - right, minlength=bins)
    return float(np.abs(surplus).sum() / len(labels))
