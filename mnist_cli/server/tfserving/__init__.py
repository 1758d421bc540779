"""Serves the REST API of TensorFlow Serving, version 1."""

from mnist_cli.server.tfserving.request import ExamplesRequest, TensorsRequest
from mnist_cli.server.tfserving.routes import tfserving

__all__ = ["ExamplesRequest", "TensorsRequest", "tfserving"]
