"""Implements the routes of the Open Inference Protocol, as described in docs/protocols.md."""

import re
from typing import Any

from flask import Blueprint, Response, request

from mnist_cli import __version__, output
from mnist_cli.errors import ModelError, UnknownModelError
from mnist_cli.server.environ import DRAINING
from mnist_cli.server.json_body import decode_json, json_response
from mnist_cli.server.model_metadata import ServedModel
from mnist_cli.server.open_inference.binary import JSON_LENGTH_HEADER, split_body
from mnist_cli.server.open_inference.request import (
    InferRequest,
    image_batch,
    raw_binary_request,
    wants_binary_output,
)
from mnist_cli.server.state import get_models
from mnist_cli.signature import dims

open_inference = Blueprint("open_inference", __name__, url_prefix="/v2")


@open_inference.get("")
def server_metadata() -> Response:
    return json_response(
        {"name": "mnist", "version": __version__, "extensions": ["binary_tensor_data"]}
    )


@open_inference.get("/health/live")
def live() -> Response:
    return json_response({"live": True})


@open_inference.get("/health/ready")
def ready() -> Response:
    """Return 200 if the default model is loaded and the server is not shutting down, else 503."""
    if request.environ.get(DRAINING):
        raise ModelError("the server is not ready: it is shutting down")
    if not get_models().is_ready:
        raise ModelError("the server is not ready: its model is not loaded yet")
    return json_response({"ready": True})


@open_inference.get("/models/<name>/ready")
@open_inference.get("/models/<name>/versions/<version>/ready")
def model_ready(name: str, version: str | None = None) -> Response:
    """Load the model if necessary; return 503 if that fails."""
    _find(name, version)
    return json_response({"name": name, "ready": True})


@open_inference.get("/models/<name>")
@open_inference.get("/models/<name>/versions/<version>")
def model_metadata(name: str, version: str | None = None) -> Response:
    """Return the image input and the scores output.

    Switches such as a dropout rate are not listed, since clients may feed every listed input.
    """
    model = _find(name, version)
    signature = model.image_signature()
    shape = dims(signature.image_shape)
    return json_response(
        {
            "name": name,
            "versions": [model.version],
            "platform": "tensorflow_savedmodel",
            "inputs": [{"name": signature.image, "datatype": "FP32", "shape": shape}],
            "outputs": [{"name": signature.scores, "datatype": "FP32", "shape": [-1, 10]}],
        }
    )


@open_inference.get("/models/<name>/config")
@open_inference.get("/models/<name>/versions/<version>/config")
def model_config(name: str, version: str | None = None) -> Response:
    """Return the part of Triton's model configuration that its clients need."""
    signature = _find(name, version).image_signature()
    shape = dims(signature.image_shape)
    return json_response(
        {
            "name": name,
            "platform": "tensorflow_savedmodel",
            "max_batch_size": 0,  # the dims include the batch axis
            "input": [{"name": signature.image, "data_type": "TYPE_FP32", "dims": shape}],
            "output": [{"name": signature.scores, "data_type": "TYPE_FP32", "dims": [-1, 10]}],
        }
    )


@open_inference.post("/models/<name>/infer")
@open_inference.post("/models/<name>/versions/<version>/infer")
def infer(name: str, version: str | None = None) -> Response:
    """Return the scores of a batch, in JSON or binary as requested."""
    model = _find(name, version)
    signature = model.image_signature()
    data = request.get_data(cache=False)
    json, binary = split_body(data, request.headers.get(JSON_LENGTH_HEADER))
    body = (
        raw_binary_request(len(data), signature)
        if json is None
        else decode_json(InferRequest, json)
    )
    is_binary = wants_binary_output(body, signature.scores, name)
    scores = model.predict_proba(image_batch(body, signature, binary, name))
    answer: dict[str, Any] = {"model_name": name, "model_version": model.version}
    if body.id is not None:
        answer["id"] = body.id
    if echoed := {key: value for key, value in body.parameters.items() if "binary" not in key}:
        answer["parameters"] = echoed
    tensor = {"name": signature.scores, "datatype": "FP32", "shape": list(scores.shape)}
    if not is_binary:
        return json_response(answer | {"outputs": [tensor | {"data": scores.ravel().tolist()}]})
    values = scores.astype("<f4").tobytes()
    answer["outputs"] = [tensor | {"parameters": {"binary_data_size": len(values)}}]
    head = output.to_json(answer).encode()
    response = Response(head + values, mimetype="application/octet-stream")
    response.headers[JSON_LENGTH_HEADER] = str(len(head))
    return response


def _find(name: str, version: str | None) -> ServedModel:
    missing = f"Request for unknown model: '{name}'"
    if version is not None:
        missing += f" version {version}"
    try:
        if version is not None and not re.fullmatch("[0-9]+", version):
            raise UnknownModelError
        return get_models().get(name, version)
    except UnknownModelError as error:
        raise UnknownModelError(f"{missing} is not found") from error
