"""Converts images to the value range, polarity and orientation that a model was trained with."""

from dataclasses import dataclass
from typing import get_args

from mnist_cli.option_types import InputConvention
from mnist_cli.records import SelfTest
from mnist_cli.runtimes import Batch
from mnist_cli.signature import SIDE

# Of all pixels of MNIST's training images, as fractions of full scale; used in the MNIST examples
# of PyTorch and Keras.
MNIST_MEAN, MNIST_DEVIATION = 0.1307, 0.3081
TRANSPOSED = "-transposed"


@dataclass(frozen=True)
class Convention:
    """How a model expects its input."""

    name: InputConvention
    background: float
    foreground: float
    transposed: bool
    """Whether rows and columns are exchanged, as in the files of EMNIST."""

    def apply(self, batch: Batch) -> Batch:
        """Convert float32 [N, 784] with foreground 1.0 and background 0.0."""
        if self.transposed:
            batch = batch.reshape(-1, SIDE, SIDE).swapaxes(1, 2).reshape(-1, SIDE * SIDE)
        if (self.background, self.foreground) == (0, 1):
            return batch
        return batch * (self.foreground - self.background) + self.background

    def __str__(self) -> str:
        name = self.name.removesuffix(TRANSPOSED)
        polarity = "dark" if self.background < self.foreground else "light"
        return f"{name}, {polarity} background" + (", transposed" if self.transposed else "")


def _convention(name: InputConvention) -> Convention:
    levels = {"standardized": (-MNIST_MEAN / MNIST_DEVIATION, (1 - MNIST_MEAN) / MNIST_DEVIATION)}
    values = name.removesuffix(TRANSPOSED)
    background, foreground = levels.get(values) or map(float, values.split(".."))
    return Convention(name, background, foreground, name.endswith(TRANSPOSED))


CONVENTIONS: dict[InputConvention, Convention] = {
    name: _convention(name) for name in get_args(InputConvention)
}


def self_test_text(result: SelfTest) -> str:
    """Format a result, such as `97 of 100, input 0..255, dark background`."""
    return f"{result['correct']} of {result['images']}, input {CONVENTIONS[result['input']]}"
