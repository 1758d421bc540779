"""Serves the native API, which takes pixels or pictures and returns digits."""

from mnist_cli.server.native.pixels_json import PicArrayRequest, decode_pixels, is_json
from mnist_cli.server.native.predict_query import FLAG_VALUES, preprocess_option
from mnist_cli.server.native.routes import native

__all__ = [
    "FLAG_VALUES",
    "PicArrayRequest",
    "decode_pixels",
    "is_json",
    "native",
    "preprocess_option",
]
