"""The native API: `GET /` and `POST /predict`."""

from mnist_cli.server.native.pixels_json import PicArrayRequest, decode_json, decode_pixels
from mnist_cli.server.native.predict_query import (
    ARRIVAL_TIME,
    PREDICTED_IMAGE,
    PredictedImage,
    predict_images,
    preprocess_option,
)
from mnist_cli.server.native.routes import FLAG_VALUES, native

__all__ = [
    "ARRIVAL_TIME",
    "FLAG_VALUES",
    "PREDICTED_IMAGE",
    "PicArrayRequest",
    "PredictedImage",
    "decode_json",
    "decode_pixels",
    "native",
    "predict_images",
    "preprocess_option",
]
