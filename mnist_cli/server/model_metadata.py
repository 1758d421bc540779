"""What the protocols tell of a model and check of its tensors: version, signatures, shapes."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from flask import current_app

from mnist_cli import signature
from mnist_cli.errors import InputError, UnknownModelError
from mnist_cli.inspection import inspect
from mnist_cli.loader import Model, find_model
from mnist_cli.runtimes import Batch
from mnist_cli.server.metrics import count_prediction
from mnist_cli.server.settings import Settings
from mnist_cli.signature import Signatures, TensorInfo, shape_text

FLOAT_MAX = float(np.finfo(np.float32).max)

# The models of 2017 have no signature: these are the tensors that the loader finds by name.
_ORIGINAL_SIGNATURES: Signatures = {
    "serving_default": {
        "inputs": {"input": {"name": "input:0", "dtype": "float32", "shape": [None, 784]}},
        "outputs": {"output": {"name": "output:0", "dtype": "float32", "shape": [None, 10]}},
        "method": "tensorflow/serving/predict",
    }
}


@dataclass(frozen=True)
class ImageSignature:
    """One signature of a model, and which of its tensors are the image and the ten scores."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    image: str
    scores: str

    @property
    def image_shape(self) -> list[int | None]:
        shape = self.inputs[self.image]["shape"]
        assert shape is not None  # an image of unknown rank is no image
        return shape

    def check_switch(self, name: str, values: npt.NDArray[Any]) -> None:
        """A further input may be left out, or say what it is always fed: that training is off.

        Raises:
            InputError: it asks for something else.
        """
        off = False if self.inputs[name]["dtype"] == "bool" else 1.0
        if not np.all(values == off):
            raise InputError(f"input {name} is fed {off} here: leave it out, or send {off}")


@dataclass(frozen=True)
class ServedModel:
    """A loaded model with what its SavedModel says of itself."""

    model: Model
    version: str
    signatures: Signatures

    def image_signature(self, name: str | None = None) -> ImageSignature | None:
        """A signature by its name, or the one that the runtime was made from.

        None if the signature is of something else than images and scores, as that for serialized
        tf.Examples in an export of tf.estimator.
        """
        run = signature.select_tensors(self.signatures)
        names = sorted(self.signatures, key=lambda name: (name != "serving_default", name))
        for candidate in names if name is None else [name]:
            tensors = self.signatures[candidate]
            inputs = {info["name"]: key for key, info in tensors["inputs"].items()}
            outputs = {info["name"]: key for key, info in tensors["outputs"].items()}
            if run.image in inputs and run.scores in outputs:
                image, scores = inputs[run.image], outputs[run.scores]
                return ImageSignature(tensors["inputs"], tensors["outputs"], image, scores)
        return None

    def predict_proba(self, batch: Batch) -> Batch:
        """Pictures [N, 784] float32 -> probabilities [N, 10] float32, counted in the metrics.

        Raises:
            InputError: the values are so large that the arithmetic of the model overflows.
        """
        scores = self.model.predict_proba(batch)
        if not np.isfinite(scores).all():
            raise InputError("the input is out of range: ink is 1.0 and paper 0.0")
        for digit in scores.argmax(axis=1).tolist():
            count_prediction(self.model.name, digit)
        return scores


def find(name: str, version: str | None = None) -> ServedModel:
    """The model of that name, loaded if it was not yet; `version` is decimal digits.

    Raises:
        UnknownModelError: there is none of that name, or not in that version.
        ModelError: it cannot be loaded.
    """
    model = current_app.extensions["models"].get(name)
    # Read once: the files may change, what is loaded does not.
    described: dict[str, ServedModel] = current_app.extensions.setdefault("served_models", {})
    if name not in described:
        described[name] = _describe(model)
    found = described[name]
    if version is not None and (version.lstrip("0") or "0") != found.version:
        raise UnknownModelError(f"model {name} has version {found.version} only")
    return found


def _describe(model: Model) -> ServedModel:
    settings: Settings = current_app.extensions["settings"]
    # The default model may have been given as a path, and is then not found by its name.
    is_default = model.name == current_app.extensions["models"].default
    where = settings.model if is_default else model.name
    saved_model = find_model(where, model_dir=settings.model_dir)
    folder = saved_model.path.absolute().name
    version = str(int(folder)) if folder.isdecimal() else "1"
    return ServedModel(model, version, inspect(saved_model)["signatures"] or _ORIGINAL_SIGNATURES)


def to_batch(values: npt.NDArray[Any], shape: list[int | None]) -> Batch:
    """Numbers -> float32 [N, 784], if they have the shape of the model's input.

    Args:
        values: floats of any width, [N, 784], [N, 28, 28] or [N, 28, 28, 1] as `shape` says.
        shape: the shape of the input, None for N.

    Raises:
        InputError: they have another shape, or do not fit into float32.
    """
    if list(values.shape[1:]) != shape[1:] or values.ndim != len(shape) or not len(values):
        got = shape_text(list(values.shape))
        raise InputError(f"the shape is {got}, expected {shape_text(shape)}")
    unfit = ~(np.abs(values) <= FLOAT_MAX)
    if unfit.any():
        raise InputError(
            f"Cannot convert value: {values[unfit][0]} to float without loss of precision."
        )
    return values.astype(np.float32).reshape(len(values), math.prod(values.shape[1:]))
