"""Parses the query of `/predict` and predicts the images of one or more requests."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mnist_cli import prediction, reshape
from mnist_cli.errors import InputError
from mnist_cli.loader import Model
from mnist_cli.option_types import PREPROCESSES, Preprocess
from mnist_cli.prediction import Prediction
from mnist_cli.reshape import Pixels
from mnist_cli.runtimes import Batch

FLAG_VALUES = {"1": True, "true": True, "0": False, "false": False}


class PredictedImage(NamedTuple):
    """The input of a model and its prediction."""

    image: Batch
    """float32 [784], ink 1.0 and paper 0.0."""
    prediction: Prediction


def predict_images(model: Model, images: Sequence[Pixels]) -> list[PredictedImage]:
    """Predict images [28, 28] from `reshape.to_28x28` in one batch."""
    batch = reshape.to_model_input(images)
    return list(map(PredictedImage, batch, prediction.predict(model, batch)))


def preprocess_option(query: Mapping[str, str]) -> Preprocess:
    """The value of `preprocess`.

    Raises:
        InputError: the value is unknown.
    """
    value = query.get("preprocess", "auto")
    for known in PREPROCESSES:
        if value == known:
            return known
    raise InputError(f"preprocess is {value!r}: use {' or '.join(PREPROCESSES)}")


def flag_option(query: Mapping[str, str], name: str) -> bool:
    """The value of a flag such as `scores`; off if it is missing.

    Raises:
        InputError: the value is unknown.
    """
    value = query.get(name, "0")
    if value not in FLAG_VALUES:
        raise InputError(f"{name} is {value!r}: use {' or '.join(FLAG_VALUES)}")
    return FLAG_VALUES[value]
