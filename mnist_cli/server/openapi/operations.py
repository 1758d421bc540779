"""What the OpenAPI document says of each route: purpose, body, answer, errors."""

import base64
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from mnist_cli import images, reshape
from mnist_cli.package_data import data_folder
from mnist_cli.server.model_metadata import Interface
from mnist_cli.server.open_inference import HEADER

Content = dict[str, dict[str, Any]]
"""Media types, and what is said of each."""

NATIVE = "Digits"
SERVER = "The server"
TFSERVING = "TensorFlow Serving v1"
INFERENCE = "Open Inference Protocol v2"

TAGS = {
    NATIVE: "The digit in a picture.",
    TFSERVING: "For clients of the REST API of TensorFlow Serving. Tensors are what the model "
    "takes, ink 1.0 and paper 0.0; a picture of any kind may be sent instead, as `b64`. A model "
    "has one version and no labels. Any other path or method under /v1 is a 400, as there.",
    INFERENCE: "For clients of KServe, Triton and others. Tensors are what the model takes, ink "
    "1.0 and paper 0.0; the metadata of a model tells their names and shapes.",
    SERVER: "Its state, its pages, and its description.",
}

# Statuses of errors beside 401, which depends on the token.
OF_A_MODEL = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
OF_A_BODY = (*OF_A_MODEL, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)

BINARY = "application/octet-stream"

# A digit in as few pixels as can be.
SEVEN = [[0, 0, 0], [255, 255, 0], [255, 255, 0], [255, 0, 255], [255, 0, 255]]


@dataclass(frozen=True)
class Route:
    """What there is to say of an endpoint, the same for all of its paths."""

    tag: str
    summary: str
    answer: Content = field(default_factory=dict)
    """Empty if it answers errors alone."""
    errors: tuple[HTTPStatus, ...] = ()
    parameters: tuple[str, ...] = ()
    """Names in the components; those in the path are known from it."""
    body: Content = field(default_factory=dict)
    answer_headers: tuple[str, ...] = ()


def routes(interface: Interface) -> dict[str, Route]:
    """All routes that are described, by endpoint.

    Args:
        interface: of the default model, which the examples are for.
    """
    page = {"text/html": {"schema": {"type": "string"}}}
    png = (data_folder("samples") / "MNIST-7.png").read_bytes()
    b64 = {"b64": base64.b64encode(png).decode()}
    options = ("model", "preprocess", "scores", "image", "multi")
    kinds = [{"$ref": f"#/components/schemas/{name}"} for name in ("Prediction", "Digits")]
    prediction_or_digits = {"application/json": {"schema": {"anyOf": kinds}}}
    unsupported = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    return {
        "native.root": Route(
            NATIVE,
            "Read a picture that comes with the server, to see that all is well",
            prediction_or_digits,
            OF_A_MODEL,
            options,
        ),
        "native.predict": Route(
            NATIVE,
            "Read a picture",
            prediction_or_digits,
            (*OF_A_BODY, unsupported),
            options,
            json("PicArrayRequest", {"picArray": SEVEN})
            | {"image/*": {}, "multipart/form-data": {"schema": _UPLOAD}},
        ),
        "tfserving.predict": Route(
            TFSERVING,
            "The scores of tensors or pictures",
            json("TensorsResponse"),
            OF_A_BODY,
            ("preprocess",),
            json("TensorsRequest", {"instances": [b64]}),
        ),
        "tfserving.classify": Route(
            TFSERVING,
            "The scores of examples, with labels",
            json("ClassifyResponse"),
            OF_A_BODY,
            ("preprocess",),
            json("ExamplesRequest", {"examples": [{interface.image: b64}]}),
        ),
        "tfserving.status": Route(
            TFSERVING, "The state of a model", json("ModelStatusResponse"), OF_A_MODEL
        ),
        "tfserving.metadata": Route(
            TFSERVING, "The signatures of a model", json("ModelMetadataResponse"), OF_A_MODEL
        ),
        "tfserving.regress": Route(
            TFSERVING,
            "An error: no model here has a signature for regression",
            errors=OF_A_BODY,
            body=json("ExamplesRequest", {"examples": [{interface.image: b64}]}),
        ),
        "tfserving.no_name": Route(
            TFSERVING, "An error: the name of a model is missing", errors=(HTTPStatus.BAD_REQUEST,)
        ),
        "inference.infer": Route(
            INFERENCE,
            "The scores of a batch",
            json("InferResponse") | {BINARY: {}},
            OF_A_BODY,
            (HEADER,),
            json("InferRequest", {"inputs": [_tensor(interface, png)]}) | {BINARY: {}},
            (HEADER,),
        ),
        "inference.model_metadata": Route(
            INFERENCE, "The tensors of a model", json("ModelMetadata"), OF_A_MODEL
        ),
        "inference.model_ready": Route(
            INFERENCE, "Whether a model is loaded", json("ModelReady"), OF_A_MODEL
        ),
        "inference.server_metadata": Route(
            INFERENCE, "The server and its extensions", json("ServerMetadata")
        ),
        "inference.live": Route(INFERENCE, "Whether the server is up", json("Live")),
        "inference.ready": Route(
            INFERENCE,
            "Whether the default model is loaded",
            json("Ready"),
            (HTTPStatus.SERVICE_UNAVAILABLE,),
        ),
        "_health": Route(SERVER, "Whether the server is up", json("Health")),
        "metrics.scrape": Route(
            SERVER,
            "Requests, latency and predictions, for Prometheus",
            {"text/plain": {"schema": {"type": "string"}}},
        ),
        "draw.page": Route(SERVER, "A page to draw a digit on", page),
        "openapi.docs": Route(SERVER, "This description as a page", page),
        "openapi.json": Route(
            SERVER,
            "This description in OpenAPI 3.1",
            {"application/json": {"schema": {"type": "object"}}},
        ),
    }


_UPLOAD = {
    "type": "object",
    "properties": {
        "file": {"description": "The picture.", "contentMediaType": BINARY},
    },
    "required": ["file"],
}


def json(name: str, example: Any = None) -> Content:
    """A body of JSON whose schema has that name."""
    described: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    if example is not None:
        described["example"] = example
    return {"application/json": described}


def _tensor(interface: Interface, png: bytes) -> dict[str, Any]:
    """A picture as the input of the model."""
    ink = reshape.preprocess_batch([images.decode(png)]).round().astype(int)
    shape = [size or 1 for size in interface.image_shape]
    data = ink.ravel().tolist()
    return {"name": interface.image, "shape": shape, "datatype": "FP32", "data": data}
