"""Predicts preprocessed images in one batch."""

from collections.abc import Sequence
from typing import NamedTuple

from mnist_cli import prediction, reshape
from mnist_cli.loader import Model
from mnist_cli.prediction import Prediction
from mnist_cli.reshape import Pixels
from mnist_cli.runtimes import Batch


class PredictedImage(NamedTuple):
    """The input of a model and its prediction."""

    image: Batch
    """float32 [784], ink 1.0 and paper 0.0."""
    prediction: Prediction


def predict_images(model: Model, images: Sequence[Pixels]) -> list[PredictedImage]:
    """Predict images [28, 28] from `reshape.to_28x28` in one batch."""
    batch = reshape.to_model_input(images)
    return list(map(PredictedImage, batch, prediction.predict(model, batch)))
