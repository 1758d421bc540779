"""Implements `GET /` and `POST /predict`."""

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from flask import Blueprint, Response, request

from mnist_cli import images, records, reshape, several
from mnist_cli.errors import InputError, UnsupportedMediaError
from mnist_cli.loader import Model
from mnist_cli.package_data import data_folder
from mnist_cli.server.environ import PREDICTED_IMAGE
from mnist_cli.server.json_body import json_response
from mnist_cli.server.metrics import count_prediction
from mnist_cli.server.native.pixels_json import decode_pixels
from mnist_cli.server.native.predict_query import flag_option, preprocess_option
from mnist_cli.server.native.prediction import PredictedImage, predict_images
from mnist_cli.server.state import get_models

native = Blueprint("native", __name__)


@native.get("/")
def root() -> Response:
    """Return the prediction for a sample picture, as a smoke test."""
    return _predict(images.decode((data_folder("samples") / "MNIST-0.png").read_bytes()))


@native.post("/predict")
def predict() -> Response:
    """Return the prediction for the picture in the body.

    `?scores=1` adds the ten probabilities, `?image=1` the 28x28 pixels that the model sees, from 0
    for black ink to 255 for white paper. `?multi=1` returns all digits of the picture.
    """
    return _predict(request.environ.get(PREDICTED_IMAGE) or _request_pixels())


def _predict(image: PredictedImage | npt.NDArray[Any]) -> Response:
    query = request.args.to_dict()
    scores, add_image, multi = (flag_option(query, name) for name in ("scores", "image", "multi"))
    model = get_models().get(query.get("model")).model
    if isinstance(image, PredictedImage):
        predicted = image
    elif multi:
        return _predict_several(model, image, scores, add_image)
    else:
        [predicted] = predict_images(model, [reshape.to_28x28(image, preprocess_option(query))])
    count_prediction(model.name, predicted.prediction.digit)
    record = records.prediction_record(predicted.prediction, model=model.name, scores=scores)
    if add_image:
        pixels = (255 * (1 - predicted.image)).round().astype(np.uint8)
        record["image"] = pixels.reshape(reshape.SIDE, reshape.SIDE).tolist()
    return json_response(record)


def _predict_several(
    model: Model, pixels: npt.NDArray[Any], scores: bool, add_image: bool
) -> Response:
    if preprocess_option(request.args) == "plain":
        raise InputError("multi requires preprocess=auto: leave out preprocess=plain")
    lines = several.read(model, pixels)
    record = records.digits_record(lines, model=model.name, scores=scores)
    for digit, digit_record in zip(itertools.chain(*lines), record["digits"], strict=True):
        count_prediction(model.name, digit.prediction.digit)
        if add_image:
            digit_record["image"] = digit.picture.tolist()
    return json_response(record)


def _request_pixels() -> npt.NDArray[Any]:
    if request.mimetype == "application/json":
        return decode_pixels(request.get_data(cache=False))
    if request.mimetype.startswith("image/"):
        return images.decode(request.get_data(cache=False))
    if request.mimetype == "multipart/form-data":
        if "file" not in request.files:
            raise InputError("the form has no field `file`: send the picture in it")
        return images.decode(request.files["file"].read())
    problem = f"{request.mimetype!r} is not supported" if request.mimetype else "is missing"
    raise UnsupportedMediaError(
        f"Content-Type {problem}: send application/json with picArray, the picture itself as "
        "image/*, or a form with a file"
    )
