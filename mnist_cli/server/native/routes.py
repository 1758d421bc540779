"""The native API: `GET /` and `POST /predict`."""

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from flask import Blueprint, Response, current_app, request

from mnist_cli import images, output, records, reshape, several
from mnist_cli.errors import InputError, UnsupportedMediaError
from mnist_cli.loader import Model
from mnist_cli.package_data import data_folder
from mnist_cli.server.metrics import count_prediction
from mnist_cli.server.native import pixels_json
from mnist_cli.server.native.predict_query import (
    PREDICTED_IMAGE,
    PredictedImage,
    predict_images,
    preprocess_option,
)

native = Blueprint("native", __name__)

FLAG_VALUES = {"1": True, "true": True, "0": False, "false": False}


@native.get("/")
def root() -> Response:
    """Answer the prediction for a sample, to see that all is well."""
    return _answer(images.decode((data_folder("samples") / "MNIST-0.png").read_bytes()))


@native.post("/predict")
def predict() -> Response:
    """Answer the prediction for the picture in the body.

    `?scores=1` adds the ten scores, `?image=1` the picture as the model gets it: 28 rows of 28
    values, 0 black ink to 255 white paper. `?multi=1` answers all digits of the picture.
    """
    return _answer(request.environ.get(PREDICTED_IMAGE) or _pixels())


def _answer(sent: PredictedImage | npt.NDArray[Any]) -> Response:
    options = request.args.to_dict()
    scores, image, multi = (_flag(name, options) for name in ("scores", "image", "multi"))
    model = current_app.extensions["models"].get(options.get("model"))
    if isinstance(sent, PredictedImage):
        reading = sent
    elif multi:
        return _answer_all(model, sent, scores, image)
    else:
        [reading] = predict_images(model, [reshape.to_28x28(sent, preprocess_option(options))])
    answer = reading.prediction
    count_prediction(model.name, answer.digit)
    record = records.prediction_record(answer, model=model.name, scores=scores)
    if image:
        paper = (255 * (1 - reading.image)).round().astype(np.uint8)
        record["image"] = paper.reshape(reshape.SIDE, reshape.SIDE).tolist()
    return Response(output.to_json(record), mimetype="application/json")


def _answer_all(model: Model, pixels: npt.NDArray[Any], scores: bool, image: bool) -> Response:
    if preprocess_option(request.args) == "plain":
        raise InputError("multi frames each digit: leave out preprocess=plain")
    lines = several.read(model, pixels)
    record = records.digits_record(lines, model=model.name, scores=scores)
    for digit, described in zip(itertools.chain(*lines), record["digits"], strict=True):
        count_prediction(model.name, digit.prediction.digit)
        if image:
            described["image"] = digit.picture.tolist()
    return Response(output.to_json(record), mimetype="application/json")


def _flag(name: str, options: Mapping[str, str]) -> bool:
    asked = options.get(name, "0")
    if asked not in FLAG_VALUES:
        raise InputError(f"{name} is {asked!r}: it can be {' or '.join(FLAG_VALUES)}")
    return FLAG_VALUES[asked]


def _pixels() -> npt.NDArray[Any]:
    if request.mimetype == "application/json":
        return pixels_json.decode_pixels(request.get_data(cache=False))
    if request.mimetype.startswith("image/"):
        return images.decode(request.get_data(cache=False))
    if request.mimetype == "multipart/form-data":
        if "file" not in request.files:
            raise InputError("the form has no field `file` with a picture")
        return images.decode(request.files["file"].read())
    raise UnsupportedMediaError(
        f"Content-Type {request.mimetype or 'is missing, and'} cannot be read: send "
        "application/json with picArray, the picture itself as image/*, or a form with a file"
    )
