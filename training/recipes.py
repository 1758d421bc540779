"""How each model is trained: every number that was chosen, in one place.

The choices were made on the validation images alone.
"""

from dataclasses import dataclass, field
from typing import NamedTuple


class Augmentation(NamedTuple):
    """The strength of each distortion: a limit to both sides, drawn uniformly from within."""

    rotation: float = 12.0  # degrees
    scale: float = 0.12  # of the size, each axis by itself
    shear: float = 0.15
    shift: float = 2.0  # pixels
    elastic: float = 0.8  # pixels, the standard deviation at the points of the grid


@dataclass(frozen=True)
class DatasetRecipe:
    """The pool of distorted images that all trainings share."""

    augmented_copies: int = 40
    """Each has every training image once, and one of the sets of synthetic pictures."""
    synthetic_images: int = 24_000
    """The synthetic pictures in a set: three in ten of all."""
    synthetic_sets: int = 12
    """The sets, which the copies take in turn: to make one takes a minute."""
    augmentation_decay: float = 0.25
    """The part of the copies, the last ones, in which the distortion fades."""
    final_augmentation: float = 0.5
    """What is left of it in the very last."""
    seed: int = 1998
    augmentation: Augmentation = field(default_factory=Augmentation)

    def augmentation_strength(self, copy: int) -> float:
        """How strong the distortion of this copy is, `final_augmentation` to 1."""
        rest = (self.augmented_copies - 1 - copy) / (
            self.augmentation_decay * self.augmented_copies
        )
        return min(1.0, self.final_augmentation + (1 - self.final_augmentation) * rest)


@dataclass(frozen=True)
class Recipe:
    """The numbers of one training: AdamW, warm-up and cosine decay."""

    epochs: int
    batch_size: int = 128
    learning_rate: float = 2e-3
    """The highest rate, reached after the warm-up."""
    warmup_fraction: float = 0.1
    """The part of all steps in which the rate rises from zero."""
    weight_decay: float = 0.05
    """Decoupled from the gradient (Loshchilov and Hutter 2019), on kernels only."""
    keep_prob: float = 0.8
    """The probability that dropout keeps a unit."""
    ema_decay: float = 0.998
    """The decay a step of the exponential average of the weights that `t_*` exports."""
    seed: int = 1998


DATASET = DatasetRecipe()
SYNTHETIC_VALIDATION_IMAGES = 5_000
"""The synthetic pictures, made of validation images, that a model is calibrated with."""
SYNTHETIC_VALIDATION_SEED = 1999
"""Their seed: with that of the pool, some would be the very pictures of the training."""
FFNN = Recipe(epochs=40, batch_size=256, learning_rate=3e-3, keep_prob=1.0)
CNN = Recipe(epochs=40)
WIDE_CNN = Recipe(epochs=30)
RECIPES = {
    "t_cnn": WIDE_CNN,
    "t_ffnn": FFNN,
    "e_cnn": WIDE_CNN,
    "e_ffnn": FFNN,
    "k_cnn": CNN,
    "k_ffnn": FFNN,
}
