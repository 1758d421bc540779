"""Describes a loaded model: its version, its signatures and the shapes of its tensors."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_cli.errors import InputError
from mnist_cli.loader import Model
from mnist_cli.runtimes import Batch
from mnist_cli.server.metrics import count_prediction
from mnist_cli.signature import (
    Signatures,
    TensorInfo,
    select_tensors,
    shape_text,
    signatures_or_original,
)
from mnist_cli.stored_model import StoredModel

FLOAT32_MAX = float(np.finfo(np.float32).max)
# Accepted for every model, whichever of these it has.
IMAGE_SHAPES = ((784,), (28, 28), (28, 28, 1))


@dataclass(frozen=True)
class ImageSignature:
    """A signature that maps images to scores, with the keys of both tensors."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    image: str
    scores: str

    @property
    def image_shape(self) -> list[int | None]:
        shape = self.inputs[self.image]["shape"]
        assert shape is not None  # the loader takes no image of unknown rank
        return shape

    def check_switch(self, name: str, values: npt.NDArray[Any]) -> None:
        """Check the value of an input besides the image, such as a dropout rate.

        Raises:
            InputError: it differs from the constant that the loader feeds.
        """
        off = False if self.inputs[name]["dtype"] == "bool" else 1.0
        if not np.all(values == off):
            raise InputError(f"input {name} is always {off} here: leave it out, or send {off}")


@dataclass(frozen=True)
class ServedModel:
    """A loaded model together with the files that it comes from."""

    model: Model
    stored: StoredModel

    @functools.cached_property
    def version(self) -> str:
        """The number that names the folder of a SavedModel, else 1."""
        folder = self.stored.path.absolute().name
        return str(int(folder)) if folder.isdecimal() else "1"

    @functools.cached_property
    def signatures(self) -> Signatures:
        return signatures_or_original(_served(self.model.description["signatures"]))

    def image_signature(self) -> ImageSignature:
        """Return the signature that the runtime executes."""
        names = sorted(self.signatures, key=lambda name: (name != "serving_default", name))
        return next(filter(None, map(self.find_image_signature, names)))

    def find_image_signature(self, name: str) -> ImageSignature | None:
        """Return a signature by name.

        None if it does not map images to scores, such as the one for serialized tf.Examples in an
        export of tf.estimator.
        """
        executed, tensors = select_tensors(self.signatures), self.signatures[name]
        inputs = {info["name"]: key for key, info in tensors["inputs"].items()}
        outputs = {info["name"]: key for key, info in tensors["outputs"].items()}
        if executed.image not in inputs or executed.scores not in outputs:
            return None
        image, scores = inputs[executed.image], outputs[executed.scores]
        return ImageSignature(tensors["inputs"], tensors["outputs"], image, scores)

    def predict_proba(self, batch: Batch) -> Batch:
        """Return the probabilities [N, 10] of images [N, 784], and count the predictions.

        As in other servers, clients send the values that the model was trained with.

        Raises:
            InputError: the values are so large that the computation overflows.
        """
        scores = self.model.predict_tensors(batch)
        if not np.isfinite(scores).all():
            convention = self.model.convention
            raise InputError(
                f"the input is out of range: ink is {convention.foreground} and paper "
                f"{convention.background}"
            )
        for digit in scores.argmax(axis=1).tolist():
            count_prediction(self.model.name, digit)
        return scores


def _served(signatures: Signatures) -> Signatures:
    """Return signatures with the tensors that clients send and get: 28x28 floats, ten scores."""
    if not signatures:
        return signatures
    executed = select_tensors(signatures)

    def served(info: TensorInfo) -> TensorInfo:
        shape = info["shape"] or []
        if info["name"] == executed.image:
            is_served = info["dtype"] == "float32" and tuple(shape[1:]) in IMAGE_SHAPES
            return info if is_served else info | {"dtype": "float32", "shape": [None, 28, 28]}
        if info["name"] == executed.scores and (info["dtype"] != "float32" or shape[1:] == [11]):
            return info | {"dtype": "float32", "shape": [None, 10]}
        return info

    return {
        name: {
            "inputs": {key: served(info) for key, info in signature["inputs"].items()},
            "outputs": {key: served(info) for key, info in signature["outputs"].items()},
            "method": signature["method"],
        }
        for name, signature in signatures.items()
    }


def to_batch(values: npt.NDArray[Any], shape: list[int | None]) -> Batch:
    """Convert the tensor of a request to the input of a model, float32 [N, 784].

    Args:
        values: floats of any width, [N, 784], [N, 28, 28] or [N, 28, 28, 1].
        shape: the shape of the model's input, None for N, for the error message.

    Raises:
        InputError: the shape is another, or a value does not fit into float32.
    """
    if values.shape[1:] not in IMAGE_SHAPES or not len(values):
        got = shape_text(list(values.shape))
        raise InputError(f"the shape is {got}, expected {shape_text(shape)}")
    overflows = ~(np.abs(values) <= FLOAT32_MAX)
    if overflows.any():
        raise InputError(
            f"Cannot convert value: {values[overflows][0]} to float without loss of precision."
        )
    return values.astype(np.float32).reshape(len(values), 784)
