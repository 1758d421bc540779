"""A picture that was sent, read: with the others that wait to be read, where there are any."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mnist_cli import prediction, reshape
from mnist_cli.errors import InputError
from mnist_cli.loader import Model
from mnist_cli.option_types import PREPROCESSES, Preprocess
from mnist_cli.prediction import Prediction
from mnist_cli.reshape import Pixels
from mnist_cli.runtimes import Batch

# Where an app finds, in the environ of WSGI, what the server has read for it already.
PREDICTED_IMAGE = "mnist.reading"
# The same for when the request had arrived, in seconds of `time.perf_counter`.
ARRIVAL_TIME = "mnist.arrived"


class PredictedImage(NamedTuple):
    """What the model was given, and what it answered."""

    image: Batch
    """float32 [784], ink 1.0 and paper 0.0."""
    prediction: Prediction


def predict_images(model: Model, pictures: Sequence[Pixels]) -> list[PredictedImage]:
    """Read pictures [28, 28] that `reshape.to_28x28` has made."""
    batch = reshape.to_model_input(pictures)
    return list(map(PredictedImage, batch, prediction.predict(model, batch)))


def preprocess_option(options: Mapping[str, str]) -> Preprocess:
    """How the query of a request wants its pictures to be prepared.

    Raises:
        InputError: there is no such way.
    """
    asked = options.get("preprocess", "auto")
    for known in PREPROCESSES:
        if asked == known:
            return known
    raise InputError(f"preprocess is {asked!r}: it can be {' or '.join(PREPROCESSES)}")
