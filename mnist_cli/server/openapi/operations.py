"""What the OpenAPI document says of each route: purpose, body, answer, errors."""

import base64
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from mnist_cli import images, reshape
from mnist_cli.package_data import data_folder
from mnist_cli.server.model_metadata import ImageSignature
from mnist_cli.server.open_inference import JSON_LENGTH_HEADER

Content = dict[str, dict[str, Any]]
"""Media types, and what is said of each."""

NATIVE = "Digits"
SERVER = "The server"
TFSERVING = "TensorFlow Serving v1"
OPEN_INFERENCE = "Open Inference Protocol v2"

TAGS = {
    NATIVE: "The digit in a picture.",
    TFSERVING: "For clients of the REST API of TensorFlow Serving. Tensors are what the model "
    "takes, ink 1.0 and paper 0.0; a picture of any kind may be sent instead, as `b64`. A model "
    "has one version and no labels. Any other path or method under /v1 is a 400, as there.",
    OPEN_INFERENCE: "For clients of KServe, Triton and others. Tensors are what the model takes, "
    "ink 1.0 and paper 0.0; the metadata of a model tells their names and shapes.",
    SERVER: "Its state, its pages, and its description.",
}

# Statuses of errors beside 401, which depends on the token.
MODEL_ERRORS = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
BODY_ERRORS = (*MODEL_ERRORS, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

OCTET_STREAM = "application/octet-stream"

# A digit in as few pixels as can be.
DIGIT_7_PIXELS = [[0, 0, 0], [255, 255, 0], [255, 255, 0], [255, 0, 255], [255, 0, 255]]


@dataclass(frozen=True)
class Operation:
    """What there is to say of an endpoint, the same for all of its paths."""

    tag: str
    summary: str
    answer: Content = field(default_factory=dict)
    """Empty if it answers errors alone."""
    errors: tuple[HTTPStatus, ...] = ()
    parameters: tuple[str, ...] = ()
    """Names in the components; those in the path are known from it."""
    body: Content = field(default_factory=dict)
    response_headers: tuple[str, ...] = ()


def operations(signature: ImageSignature) -> dict[str, Operation]:
    """All routes that are described, by endpoint.

    Args:
        signature: of the default model, which the examples are for.
    """
    page = {"text/html": {"schema": {"type": "string"}}}
    png = (data_folder("samples") / "MNIST-7.png").read_bytes()
    b64 = {"b64": base64.b64encode(png).decode()}
    options = ("model", "preprocess", "scores", "image", "multi")
    kinds = [{"$ref": f"#/components/schemas/{name}"} for name in ("Prediction", "Digits")]
    prediction_or_digits = {"application/json": {"schema": {"anyOf": kinds}}}
    unsupported = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return {
        "native.root": Operation(
            NATIVE,
            "Read a picture that comes with the server, to see that all is well",
            prediction_or_digits,
            MODEL_ERRORS,
            options,
        ),
        "native.predict": Operation(
            NATIVE,
            "Read a picture",
            prediction_or_digits,
            (*BODY_ERRORS, unsupported),
            options,
            json_content("PicArrayRequest", {"picArray": DIGIT_7_PIXELS})
            | {"image/*": {}, "multipart/form-data": {"schema": _UPLOAD}},
        ),
        "tfserving.predict": Operation(
            TFSERVING,
            "The scores of tensors or pictures",
            json_content("TensorsResponse"),
            BODY_ERRORS,
            ("preprocess",),
            json_content("TensorsRequest", {"instances": [b64]}),
        ),
        "tfserving.classify": Operation(
            TFSERVING,
            "The scores of examples, with labels",
            json_content("ClassifyResponse"),
            BODY_ERRORS,
            ("preprocess",),
            json_content("ExamplesRequest", {"examples": [{signature.image: b64}]}),
        ),
        "tfserving.status": Operation(
            TFSERVING, "The state of a model", json_content("ModelStatusResponse"), MODEL_ERRORS
        ),
        "tfserving.metadata": Operation(
            TFSERVING,
            "The signatures of a model",
            json_content("ModelMetadataResponse"),
            MODEL_ERRORS,
        ),
        "tfserving.regress": Operation(
            TFSERVING,
            "An error: no model here has a signature for regression",
            errors=BODY_ERRORS,
            body=json_content("ExamplesRequest", {"examples": [{signature.image: b64}]}),
        ),
        "tfserving.no_name": Operation(
            TFSERVING, "An error: the name of a model is missing", errors=(HTTPStatus.BAD_REQUEST,)
        ),
        "open_inference.infer": Operation(
            OPEN_INFERENCE,
            "The scores of a batch",
            json_content("InferResponse") | {OCTET_STREAM: {}},
            BODY_ERRORS,
            (JSON_LENGTH_HEADER,),
            json_content("InferRequest", {"inputs": [_tensor(signature, png)]})
            | {OCTET_STREAM: {}},
            (JSON_LENGTH_HEADER,),
        ),
        "open_inference.model_metadata": Operation(
            OPEN_INFERENCE, "The tensors of a model", json_content("ModelMetadata"), MODEL_ERRORS
        ),
        "open_inference.model_ready": Operation(
            OPEN_INFERENCE, "Whether a model is loaded", json_content("ModelReady"), MODEL_ERRORS
        ),
        "open_inference.server_metadata": Operation(
            OPEN_INFERENCE, "The server and its extensions", json_content("ServerMetadata")
        ),
        "open_inference.live": Operation(
            OPEN_INFERENCE, "Whether the server is up", json_content("Live")
        ),
        "open_inference.ready": Operation(
            OPEN_INFERENCE,
            "Whether the default model is loaded",
            json_content("Ready"),
            (HTTPStatus.SERVICE_UNAVAILABLE,),
        ),
        "_health": Operation(SERVER, "Whether the server is up", json_content("Health")),
        "metrics.scrape": Operation(
            SERVER,
            "Requests, latency and predictions, for Prometheus",
            {"text/plain": {"schema": {"type": "string"}}},
        ),
        "draw.page": Operation(SERVER, "A page to draw a digit on", page),
        "openapi.docs": Operation(SERVER, "This description as a page", page),
        "openapi.openapi_json": Operation(
            SERVER,
            "This description in OpenAPI 3.1",
            {"application/json": {"schema": {"type": "object"}}},
        ),
    }


_UPLOAD = {
    "type": "object",
    "properties": {
        "file": {"description": "The picture.", "contentMediaType": OCTET_STREAM},
    },
    "required": ["file"],
}


def json_content(name: str, example: Any = None) -> Content:
    """A body of JSON whose schema has that name."""
    described: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    if example is not None:
        described["example"] = example
    return {"application/json": described}


def _tensor(signature: ImageSignature, png: bytes) -> dict[str, Any]:
    """A picture as the input of the model."""
    ink = reshape.preprocess_batch([images.decode(png)]).round().astype(int)
    shape = [size or 1 for size in signature.image_shape]
    data = ink.ravel().tolist()
    return {"name": signature.image, "shape": shape, "datatype": "FP32", "data": data}
