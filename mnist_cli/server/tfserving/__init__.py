"""The REST API v1 of TensorFlow Serving."""

from mnist_cli.server.tfserving.request import ExamplesRequest, TensorsRequest
from mnist_cli.server.tfserving.routes import tfserving

__all__ = [
    "ExamplesRequest",
    "TensorsRequest",
    "tfserving",
]
