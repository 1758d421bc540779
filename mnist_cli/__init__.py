"""Reads handwritten digits from image files with TensorFlow SavedModels.

    >>> import mnist_cli
    >>> mnist_cli.predict("samples/MNIST-7.png").digit
    7

The names below are imported when they are first used: importing the package takes no time.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mnist_cli.api import (
        Box,
        Digit,
        DigitModel,
        InputError,
        MnistError,
        ModelError,
        Number,
        Source,
        load_model,
        predict,
    )

__version__ = "0.2.0"
__all__ = [
    "Box",
    "Digit",
    "DigitModel",
    "InputError",
    "MnistError",
    "ModelError",
    "Number",
    "Source",
    "load_model",
    "predict",
]


def __getattr__(name: str) -> object:
    if name in __all__:
        from mnist_cli import api

        return getattr(api, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
