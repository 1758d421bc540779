"""The native API: `GET /` and `POST /predict`."""

from mnist_cli.server.native.pixels_json import PicArrayRequest, decode, decode_json
from mnist_cli.server.native.predict_query import ARRIVED, READING, Reading, preprocess, read
from mnist_cli.server.native.routes import FLAGS, native

__all__ = [
    "ARRIVED",
    "FLAGS",
    "READING",
    "PicArrayRequest",
    "Reading",
    "decode",
    "decode_json",
    "native",
    "preprocess",
    "read",
]
