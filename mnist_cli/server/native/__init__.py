"""Serves the native API, which takes pixels or pictures and returns digits."""

from mnist_cli.server.native.pixels_json import PicArrayRequest, decode_pixels
from mnist_cli.server.native.predict_query import FLAG_VALUES, preprocess_option
from mnist_cli.server.native.routes import native
from mnist_cli.server.native.small_picture import has_small_picture, prepare_small_picture

__all__ = [
    "FLAG_VALUES",
    "PicArrayRequest",
    "decode_pixels",
    "has_small_picture",
    "native",
    "prepare_small_picture",
    "preprocess_option",
]
