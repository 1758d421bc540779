"""The Open Inference Protocol v2 over HTTP, as KServe, Triton and MLServer speak it.

Sources: `specification/protocol/inference_rest.md` in kserve/open-inference-protocol; for what it
leaves open, and for the messages, `src/http_server.cc` in triton-inference-server/server. Where the
two differ:

- the server is described at `/v2`, as the servers have it, and at `/v2/`, which is in the OpenAPI
  file of the specification;
- `data` in a response is flat, as Triton writes it; in a request it is flat or nested;
- live and ready answer bodies as KServe does, `{"live": true}` and `{"ready": true}`: Triton's are
  empty, and the specification writes `live` for both;
- not ready is KServe's 503, which proxies and Kubernetes know: Triton answers 400;
- an unknown model is 404 on all paths: Triton answers 400 to `/ready`;
- what is wrong with a request is 400: Triton answers 500 where its JSON library says so, as of JSON
  that is broken or of a `shape` that is no list;
- `parameters` of a request are echoed, but for those of the binary extension: Triton drops them.

UINT8 is not taken: 0 to 255 and 0 to 1 cannot be told apart, and a guess would answer wrongly.
"""

import re
from typing import Any

from flask import Blueprint, Response, current_app, request

from mnist_cli import __version__, output
from mnist_cli.errors import ModelError, UnknownModelError
from mnist_cli.server.model_metadata import ImageSignature, ServedModel, find
from mnist_cli.server.open_inference.binary import JSON_LENGTH_HEADER, split_body
from mnist_cli.server.open_inference.request import (
    image_batch,
    parse_request,
    raw_binary_request,
    wants_binary_output,
)

inference = Blueprint("inference", __name__, url_prefix="/v2")


@inference.get("")
@inference.get("/")
def server_metadata() -> Response:
    return _json({"name": "mnist", "version": __version__, "extensions": ["binary_tensor_data"]})


@inference.get("/health/live")
def live() -> Response:
    return _json({"live": True})


@inference.get("/health/ready")
def ready() -> Response:
    """Answer that the default model is loaded; 503 until it is."""
    if not current_app.extensions["models"].is_ready:
        raise ModelError("the server is not ready: its model is not loaded yet")
    return _json({"ready": True})


@inference.get("/models/<name>/ready")
@inference.get("/models/<name>/versions/<version>/ready")
def model_ready(name: str, version: str | None = None) -> Response:
    """Answer that the model is loaded, having loaded it if need be; 503 if it cannot be."""
    _find(name, version)
    return _json({"name": name, "ready": True})


@inference.get("/models/<name>")
@inference.get("/models/<name>/versions/<version>")
def model_metadata(name: str, version: str | None = None) -> Response:
    """Answer the tensors that are needed and given: the image and the scores.

    Switches, such as a dropout rate, are not listed: a client that feeds all that is listed must
    not turn them on.
    """
    model = _find(name, version)
    signature = _image_signature(model)
    shape = [-1 if size is None else size for size in signature.image_shape]
    return _json(
        {
            "name": name,
            "versions": [model.version],
            "platform": "tensorflow_savedmodel",
            "inputs": [{"name": signature.image, "datatype": "FP32", "shape": shape}],
            "outputs": [{"name": signature.scores, "datatype": "FP32", "shape": [-1, 10]}],
        }
    )


@inference.post("/models/<name>/infer")
@inference.post("/models/<name>/versions/<version>/infer")
def infer(name: str, version: str | None = None) -> Response:
    """Answer the scores of a batch, in JSON or in binary as they are asked for."""
    model = _find(name, version)
    signature = _image_signature(model)
    data = request.get_data(cache=False)
    head, binary = split_body(data, request.headers.get(JSON_LENGTH_HEADER))
    body = raw_binary_request(len(data), signature) if head is None else parse_request(head)
    is_binary = wants_binary_output(body, signature.scores, name)
    scores = model.predict_proba(image_batch(body, signature, binary, name))
    answer: dict[str, Any] = {"model_name": name, "model_version": model.version}
    if body.id is not None:
        answer["id"] = body.id
    if echoed := {key: value for key, value in body.parameters.items() if "binary" not in key}:
        answer["parameters"] = echoed
    tensor = {"name": signature.scores, "datatype": "FP32", "shape": list(scores.shape)}
    if not is_binary:
        return _json(answer | {"outputs": [tensor | {"data": scores.ravel().tolist()}]})
    blob = scores.astype("<f4").tobytes()
    answer["outputs"] = [tensor | {"parameters": {"binary_data_size": len(blob)}}]
    described = output.to_json(answer).encode()
    response = Response(described + blob, mimetype="application/octet-stream")
    response.headers[JSON_LENGTH_HEADER] = str(len(described))
    return response


def _find(name: str, version: str | None) -> ServedModel:
    missing = f"Request for unknown model: '{name}'"
    if version is not None:
        missing += f" version {version}"
    try:
        if version is not None and not re.fullmatch("[0-9]+", version):
            raise UnknownModelError
        return find(name, version)
    except UnknownModelError as error:
        raise UnknownModelError(f"{missing} is not found") from error


def _image_signature(model: ServedModel) -> ImageSignature:
    signature = model.image_signature()
    assert signature is not None  # the runtime was made from it
    return signature


def _json(body: dict[str, Any]) -> Response:
    return Response(output.to_json(body), mimetype="application/json")
