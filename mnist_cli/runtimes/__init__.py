"""The protocol that both runtimes implement: LiteRT and TensorFlow."""

import importlib.util
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # commands that only find models do not need NumPy
    import numpy as np
    import numpy.typing as npt

Batch: TypeAlias = "npt.NDArray[np.float32]"
"""The input of a model: float32 [N, 784], foreground 1.0 and background 0.0."""
Scores: TypeAlias = "npt.NDArray[np.float32]"
"""The output of a model: float32 [N, 10], probabilities of the digits; each row sums to 1."""


class Runtime(Protocol):
    """A loaded model; safe to call from many threads."""

    name: str

    def predict_proba(self, batch: Batch) -> Scores:
        """Return the probabilities of the ten digits for each image."""


def is_installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None
