"""Two engines that run a model, behind one small protocol."""

import importlib.util
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # to find a model, no NumPy is needed
    import numpy as np
    import numpy.typing as npt

Batch: TypeAlias = "npt.NDArray[np.float32]"


def is_installed(package: str) -> bool:
    """Whether a package can be imported, without importing it."""
    return importlib.util.find_spec(package) is not None


class Runtime(Protocol):
    """An engine with a model in it; safe to call from many threads."""

    name: str

    def predict_proba(self, batch: Batch) -> Batch:
        """Pictures [N, 784] float32, ink 1.0 and paper 0.0 -> probabilities [N, 10] float32."""
