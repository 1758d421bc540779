"""Serves the Open Inference Protocol, version 2, over HTTP."""

from mnist_cli.server.open_inference.binary import JSON_LENGTH_HEADER
from mnist_cli.server.open_inference.request import InferRequest, Parameters
from mnist_cli.server.open_inference.routes import open_inference

__all__ = ["JSON_LENGTH_HEADER", "InferRequest", "Parameters", "open_inference"]
