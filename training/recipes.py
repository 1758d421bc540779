"""How each model is trained: every number that was chosen, in one place.

The choices were made on the validation images alone.
"""

from dataclasses import dataclass, field

from training.augment import Augmentation


@dataclass(frozen=True)
class Recipe:
    """The numbers of one training: AdamW, warm-up and cosine decay, averaged weights."""

    epochs: int
    batch_size: int = 128
    learning_rate: float = 2e-3
    """The highest rate, reached after the warm-up."""
    warm_up: float = 0.1
    """The part of all steps in which the rate rises from zero."""
    weight_decay: float = 0.05
    """Decoupled from the gradient (Loshchilov and Hutter 2019), on kernels only."""
    keep: float = 0.8
    """The probability that dropout keeps a unit."""
    averaging: float = 0.998
    """The decay a step of the exponential average of the weights, which is the model in the end."""
    seed: int = 1998
    augmentation: Augmentation = field(default_factory=Augmentation)

    def steps_per_epoch(self, images: int) -> int:
        """Full batches only: the few images left over differ from epoch to epoch."""
        return images // self.batch_size


RECIPES = {
    "t_ffnn": Recipe(epochs=60),
    "t_cnn": Recipe(epochs=16, keep=0.6),
}
