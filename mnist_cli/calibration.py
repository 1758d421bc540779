"""What makes the scores of a model mean what they say; stored with it, applied by the loader."""

from dataclasses import dataclass

from mnist_cli.runtimes import Batch


@dataclass(frozen=True)
class Calibration:
    """What `training/calibrate.py` finds on validation images; as it stands it changes nothing."""

    temperature: float = 1.0
    """What the logits are divided by, above 0: C. Guo, G. Pleiss, Y. Sun and K. Weinberger, "On
    Calibration of Modern Neural Networks" (ICML 2017), section 4.2."""
    least_digitness: float = 0.0
    """Below this digitness, 0 to 1, an answer is uncertain; 99 % of MNIST are above it."""

    def calibrated(self, scores: Batch) -> Batch:
        """Scores [N, 10] as the model has them -> as they are told; each row sums to 1.

        To divide logits is to take a root of probabilities; the highest is made 1 before, so that
        not all of them vanish.
        """
        if self.temperature == 1:
            return scores
        powers = (scores / scores.max(axis=1, keepdims=True)) ** (1 / self.temperature)
        calibrated: Batch = powers / powers.sum(axis=1, keepdims=True)
        return calibrated
