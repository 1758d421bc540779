"""Implements `GET /` and `POST /predict`."""

from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from mnist_cli import images
from mnist_cli.api import DigitModel
from mnist_cli.errors import InputError, UnsupportedMediaError
from mnist_cli.package_data import data_folder
from mnist_cli.picture import Picture
from mnist_cli.prediction import Digit
from mnist_cli.predictor import Predictor
from mnist_cli.server.environ import DIGIT
from mnist_cli.server.json_body import json_response
from mnist_cli.server.metrics import count_prediction
from mnist_cli.server.native.pixels_json import decode_pixels, is_json
from mnist_cli.server.native.predict_query import flag_option, preprocess_option
from mnist_cli.server.state import get_models

native = Blueprint("native", __name__)


@native.get("/")
def root() -> Response:
    """Return the prediction for a sample picture, as a smoke test; browsers get the page /draw."""
    response = _predict(images.decode((data_folder("samples") / "MNIST-0.png").read_bytes()))
    response.vary.add("Accept")
    return response


@native.post("/predict")
def predict() -> Response:
    """Return the prediction for the picture in the body.

    `?scores=1` adds the ten probabilities, `?image=1` the 28x28 pixels that the model sees, from 0
    for black ink to 255 for white paper. `?multi=1` returns all digits of the picture.
    """
    return _predict(request.environ.get(DIGIT) or _request_picture())


def _predict(source: Digit | Picture) -> Response:
    query = request.args.to_dict()
    scores, image, multi = (flag_option(query, name) for name in ("scores", "image", "multi"))
    model = DigitModel(get_models().get(query.get("model")).model)
    predictor = Predictor(model, preprocess_option(query), scores, image)
    if isinstance(source, Digit):
        record = predictor.record(source)
    elif multi:
        return _predict_all(predictor, source)
    else:
        record = predictor.predict(source)
    count_prediction(model.name, record["prediction"])
    return json_response(record)


def _predict_all(predictor: Predictor, picture: Picture) -> Response:
    if predictor.preprocess == "plain":
        raise InputError("multi requires preprocess=auto: leave out preprocess=plain")
    record = predictor.predict_all(picture)
    for digit in record["digits"]:
        count_prediction(predictor.model.name, digit["prediction"])
    return json_response(record)


def _request_picture() -> Picture:
    if is_json(request.headers.get("Content-Type", "")):
        return Picture.from_pixels(decode_pixels(request.get_data(cache=False)))
    if request.mimetype.startswith("image/"):
        return images.decode(request.get_data(cache=False))
    if request.mimetype == "multipart/form-data":
        return images.decode(_form_file())
    problem = f"{request.mimetype!r} is not supported" if request.mimetype else "is missing"
    raise UnsupportedMediaError(
        f"Content-Type {problem}: send application/json with picArray, the picture itself as "
        "image/*, or a form with a file"
    )


def _form_file() -> bytes:
    """Return the only `file` of a form."""
    if not request.mimetype_params.get("boundary"):
        raise InputError(
            "the Content-Type multipart/form-data has no boundary: let the client set the header"
        )
    length = request.content_length
    try:
        files = request.files.getlist("file")
    except RequestEntityTooLarge as error:
        if length is None or length > (request.max_content_length or length):
            raise
        raise InputError(
            f"the form has more than {request.max_form_parts} parts: send only `file`"
        ) from error
    if len(files) > 1:
        raise InputError(f"the form has {len(files)} parts `file`: send one picture per request")
    if not files:
        found = "is text, without a filename" if "file" in request.form else "is missing"
        raise InputError(f"the field `file` of the form {found}: send the picture in it")
    data: bytes = files[0].read()
    return data
