"""Serves the native API, which takes pixels or pictures and returns digits."""

from mnist_cli.server.native.pixels_json import PicArrayRequest, decode_pixels
from mnist_cli.server.native.predict_query import FLAG_VALUES, preprocess_option
from mnist_cli.server.native.prediction import PredictedImage, predict_images
from mnist_cli.server.native.routes import native

__all__ = [
    "FLAG_VALUES",
    "PicArrayRequest",
    "PredictedImage",
    "decode_pixels",
    "native",
    "predict_images",
    "preprocess_option",
]
