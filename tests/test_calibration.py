"""Temperature scaling and digitness against SciPy."""

import numpy as np
import pytest
from scipy import special, stats

from mnist_cli.calibration import Calibration
from mnist_cli.prediction import digitness


@pytest.mark.parametrize("temperature", [0.5, 1.0, 1.7, 20.0])
def test_temperature_divides_the_logits(temperature: float) -> None:
    logits = np.random.default_rng(0).normal(0, 6, (200, 10))
    scores = special.softmax(logits, axis=1).astype(np.float32)
    calibrated = Calibration(temperature).calibrated(scores)
    expected = special.softmax(logits / temperature, axis=1)
    np.testing.assert_allclose(calibrated, expected, atol=1e-5)


def test_scores_never_vanish() -> None:
    scores = np.full((1, 10), 0.1, np.float32)
    calibrated = Calibration(0.01).calibrated(scores)
    np.testing.assert_allclose(calibrated, scores, atol=1e-6)


def test_digitness_is_one_minus_the_normalized_entropy() -> None:
    for scores in np.random.default_rng(0).dirichlet(np.full(10, 0.2), 500):
        expected = 1 - stats.entropy(scores, base=10)
        assert digitness(scores.tolist()) == pytest.approx(expected, abs=1e-9)


def test_digitness_of_certain_and_equal_scores() -> None:
    assert digitness([0.0] * 9 + [1.0]) == 1
    assert digitness([0.1] * 10) == pytest.approx(0, abs=1e-12)
    assert digitness([0.5, 0.5] + [0.0] * 8) == pytest.approx(0.7, abs=0.01)
