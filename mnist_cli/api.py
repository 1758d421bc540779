"""Python API: reads digits in files, bytes, images and arrays.

It is imported with the first use of a name of `mnist_cli`, since it imports NumPy and Pillow.
"""

import functools
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli import images, input_files, loader, recognition
from mnist_cli.chunks import chunked
from mnist_cli.errors import InputError, MnistError, ModelError, errors_in
from mnist_cli.option_types import DEFAULT_MODEL, InputConvention, Preprocess, RuntimeChoice
from mnist_cli.picture import Picture
from mnist_cli.prediction import Digit, Number
from mnist_cli.preprocessing.geometry import Box
from mnist_cli.recognition import NamedPicture

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

Source: TypeAlias = (
    str | os.PathLike[str] | bytes | BinaryIO | Image.Image | npt.NDArray[np.generic] | Picture
)
"""A picture: a path, the content of a file, a binary file object, an image of Pillow, or an array.

Arrays have the shape [H, W] (gray), [H, W, 3] (RGB) or [H, W, 4] (RGBA), and values from 0 (black)
to 255 (white). A `Picture` has been decoded before.
"""

# How many pictures the model reads together.
BATCH_SIZE = 16


class DigitModel:
    """A model that reads pictures; safe to use from many threads."""

    def __init__(self, model: loader.Model) -> None:
        """Read with a model that `loader` has loaded; `load_model` does both."""
        self._model = model

    @property
    def name(self) -> str:
        return self._model.name

    def __repr__(self) -> str:
        return f"<DigitModel {self.name}>"

    def predict(self, source: Source, *, preprocess: Preprocess = "auto") -> Digit:
        """Read the only digit of a picture.

        Args:
            source: the picture.
            preprocess: `auto` locates the digit; `plain` resizes the whole picture.

        Raises:
            InputError: the picture cannot be read, or there is no digit in it.
        """
        with errors_in(_name_of(source)):
            return recognition.read_digit(self._model, _load(source), preprocess)

    def predict_many(
        self, sources: Iterable[Source], *, preprocess: Preprocess = "auto"
    ) -> Iterator[Digit]:
        """Read the only digit of each picture, in batches.

        The digits of the pictures before one that cannot be read are yielded first.

        Raises:
            InputError: a picture cannot be read, or there is no digit in it.
        """
        for chunk in chunked(sources, BATCH_SIZE):
            pictures = [NamedPicture(_name_of(source), _loader(source)) for source in chunk]
            for digit in recognition.read_pictures(self._model, pictures, preprocess):
                if isinstance(digit, InputError):
                    raise digit
                yield digit

    def read_number(self, source: Source) -> Number:
        """Read all digits of a picture, of which there may be none.

        Raises:
            InputError: the picture cannot be read.
        """
        with errors_in(_name_of(source)):
            return recognition.read_number(self._model, _load(source))


def load_model(
    name_or_path: str | os.PathLike[str] = DEFAULT_MODEL,
    *,
    model_dir: Path | None = None,
    runtime: RuntimeChoice = "auto",
    input: InputConvention | None = None,
) -> DigitModel:
    """Load a model by name, or any model by path: a SavedModel folder, or a Keras or TFLite file.

    Args:
        name_or_path: a model of `model_dir`, or a path.
        model_dir: the folder in which names are looked up; the models of the package if None.
        runtime: `auto` uses LiteRT if the model is compiled, otherwise TensorFlow.
        input: the convention of the model's images; the one that the self-test has found if None.

    Raises:
        ModelError: the model is missing, damaged or not supported, or the runtime that it requires
            is not installed.
    """
    name = os.fspath(name_or_path)
    return DigitModel(loader.load_model(name, model_dir=model_dir, runtime=runtime, input=input))


def predict(
    source: Source,
    *,
    model: str | os.PathLike[str] = DEFAULT_MODEL,
    preprocess: Preprocess = "auto",
) -> Digit:
    """Read the only digit of a picture; each model is loaded once.

    Raises:
        InputError: the picture cannot be read, or there is no digit in it.
        ModelError: the model cannot be loaded.
    """
    return _load_once(os.fspath(model)).predict(source, preprocess=preprocess)


@functools.cache
def _load_once(name_or_path: str) -> DigitModel:
    return load_model(name_or_path)


def _loader(source: Source) -> Callable[[], Picture]:
    """Return a function that loads a picture as often as it is called."""
    load = functools.partial(_load, source)
    return functools.cache(load) if hasattr(source, "read") else load  # a file is read only once


def _load(source: Source) -> Picture:
    if isinstance(source, Picture):
        return source
    if isinstance(source, bytes):
        return images.decode(source)
    if isinstance(source, str | os.PathLike):
        return images.decode(input_files.load_regular(os.fspath(source)))
    if isinstance(source, Image.Image):
        return images.from_image(source)
    if isinstance(source, np.ndarray):
        return images.from_array(source)
    if hasattr(source, "read"):
        return images.decode(source.read(input_files.MAX_BYTES + 1))
    raise TypeError(
        f"a picture cannot be a {type(source).__name__}: use a path, bytes, a binary file object, "
        "an image of Pillow or a NumPy array"
    )


def _name_of(source: Source) -> str | None:
    """Return the path of a picture for errors, or None if it has none."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else None
