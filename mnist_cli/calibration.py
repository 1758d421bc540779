"""Temperature scaling and the uncertainty threshold of a model."""

from dataclasses import dataclass

from mnist_cli.runtimes import Batch


@dataclass(frozen=True)
class Calibration:
    """Parameters that `training/calibrate.py` fits on validation images.

    They are stored with the model and applied by the loader. The defaults change nothing.
    """

    temperature: float = 1.0
    """Divisor of the logits, above 0: C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On Calibration
    of Modern Neural Networks" (ICML 2017), section 4.2."""
    least_digitness: float = 0.0
    """Predictions with a lower digitness, 0 to 1, are uncertain; 99 % of MNIST are above it."""

    def calibrated(self, scores: Batch) -> Batch:
        """Apply the temperature to scores [N, 10]; each row of the result sums to 1.

        Dividing the logits takes a root of the probabilities. They are scaled to a maximum of 1
        first, so that they cannot all underflow.
        """
        if self.temperature == 1:
            return scores
        powers = (scores / scores.max(axis=1, keepdims=True)) ** (1 / self.temperature)
        calibrated: Batch = powers / powers.sum(axis=1, keepdims=True)
        return calibrated
