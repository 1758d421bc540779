"""Describes the operations: summaries, bodies, errors and examples."""

import base64
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from mnist_cli import images, reshape
from mnist_cli.package_data import data_folder
from mnist_cli.preprocessing import prepare_clean
from mnist_cli.server.model_metadata import ImageSignature
from mnist_cli.server.open_inference import JSON_LENGTH_HEADER

Content = dict[str, dict[str, Any]]
"""Media Type Objects by media type."""

NATIVE = "Digits"
TFSERVING = "TensorFlow Serving v1"
OPEN_INFERENCE = "Open Inference Protocol v2"
SERVER = "Server"

TAGS = {
    NATIVE: "Digits in pictures.",
    TFSERVING: "For clients of TensorFlow Serving's REST API. Tensors are the input of the model, "
    "ink 1.0 and paper 0.0 for those of mnist; pictures may be sent instead, as `b64`. Models have "
    "one version and no labels. As in TensorFlow Serving, unknown paths and methods under /v1 are "
    "400.",
    OPEN_INFERENCE: "For clients of KServe, Triton and other servers. Tensors are the input of the "
    "model, ink 1.0 and paper 0.0 for those of mnist; the metadata of a model has their names and "
    "shapes.",
    SERVER: "State, pages and documentation of the server.",
}

# 401 is added where the server requires a token.
MODEL_ERRORS = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE)
BODY_ERRORS = (
    *MODEL_ERRORS,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
)

OCTET_STREAM = "application/octet-stream"
BINARY = {"schema": {"type": "string", "format": "binary"}}

# A 7 with few pixels, so that examples fit on a line.
DIGIT_7_PIXELS = [[0, 0, 0], [255, 255, 0], [255, 255, 0], [255, 0, 255], [255, 0, 255]]


@dataclass(frozen=True)
class Operation:
    """The description of an endpoint, the same for all of its paths."""

    tag: str
    summary: str
    response: Content = field(default_factory=dict)
    """Empty if the operation always fails."""
    errors: tuple[HTTPStatus, ...] = ()
    parameters: tuple[str, ...] = ()
    """Names of components, without the parameters in the path."""
    body: Content = field(default_factory=dict)
    response_headers: tuple[str, ...] = ()


def operations(signature: ImageSignature) -> dict[str, Operation]:
    """Return all operations by Flask endpoint.

    Args:
        signature: the signature of the default model, which the examples use.
    """
    page = {"text/html": {"schema": {"type": "string"}}}
    png = (data_folder("samples") / "MNIST-7.png").read_bytes()
    b64 = {"b64": base64.b64encode(png).decode()}
    options = ("model", "preprocess", "scores", "image", "multi")
    records = [_reference(name) for name in ("PredictionRecord", "DigitsRecord")]
    one_or_several = {"application/json": {"schema": {"anyOf": records}}}
    return {
        "native.root": Operation(
            NATIVE,
            "Predict a sample picture, as a smoke test; browsers get the page for drawing",
            one_or_several | page,
            MODEL_ERRORS,
            options,
        ),
        "native.predict": Operation(
            NATIVE,
            "Predict the digit or digits in a picture",
            one_or_several,
            BODY_ERRORS,
            options,
            json_content("PicArrayRequest", {"picArray": DIGIT_7_PIXELS})
            | {"image/*": BINARY, "multipart/form-data": {"schema": _UPLOAD}},
        ),
        "tfserving.predict": Operation(
            TFSERVING,
            "Return the scores of tensors or pictures",
            json_content("TensorsResponse"),
            BODY_ERRORS,
            ("preprocess",),
            json_content("TensorsRequest", {"instances": [b64]}),
        ),
        "tfserving.classify": Operation(
            TFSERVING,
            "Return the labels and scores of examples",
            json_content("ClassifyResponse"),
            BODY_ERRORS,
            ("preprocess",),
            json_content("ExamplesRequest", {"examples": [{signature.image: b64}]}),
        ),
        "tfserving.status": Operation(
            TFSERVING,
            "Return the state of a model",
            json_content("ModelStatusResponse"),
            MODEL_ERRORS,
        ),
        "tfserving.metadata": Operation(
            TFSERVING,
            "Return the signatures of a model",
            json_content("ModelMetadataResponse"),
            MODEL_ERRORS,
        ),
        "tfserving.regress": Operation(
            TFSERVING,
            "Always an error: no model has a regression signature",
            errors=BODY_ERRORS,
            body=json_content("ExamplesRequest", {"examples": [{signature.image: b64}]}),
        ),
        "tfserving.no_name": Operation(
            TFSERVING,
            "Always an error: the name of a model is missing",
            errors=(HTTPStatus.BAD_REQUEST,),
        ),
        "open_inference.infer": Operation(
            OPEN_INFERENCE,
            "Return the scores of a batch",
            json_content("InferResponse") | {OCTET_STREAM: BINARY},
            BODY_ERRORS,
            (JSON_LENGTH_HEADER,),
            json_content("InferRequest", {"inputs": [_tensor(signature, png)]})
            | {OCTET_STREAM: BINARY},
            (JSON_LENGTH_HEADER,),
        ),
        "open_inference.model_metadata": Operation(
            OPEN_INFERENCE,
            "Return the tensors of a model",
            json_content("ModelMetadata"),
            MODEL_ERRORS,
        ),
        "open_inference.model_config": Operation(
            OPEN_INFERENCE,
            "Return the tensors of a model as Triton does",
            json_content("ModelConfig"),
            MODEL_ERRORS,
        ),
        "open_inference.model_ready": Operation(
            OPEN_INFERENCE,
            "Load a model and return whether it is ready",
            json_content("ModelReady"),
            MODEL_ERRORS,
        ),
        "open_inference.server_metadata": Operation(
            OPEN_INFERENCE,
            "Return the name, version and extensions of the server",
            json_content("ServerMetadata"),
        ),
        "open_inference.live": Operation(
            OPEN_INFERENCE, "Return whether the server is running", json_content("Live")
        ),
        "open_inference.ready": Operation(
            OPEN_INFERENCE,
            "Return whether the default model is loaded",
            json_content("Ready"),
            (HTTPStatus.SERVICE_UNAVAILABLE,),
        ),
        "_health": Operation(
            SERVER, "Return whether the server is running", json_content("Health")
        ),
        "metrics.scrape": Operation(
            SERVER, "Return metrics for Prometheus", {"text/plain": {"schema": {"type": "string"}}}
        ),
        "draw.page": Operation(SERVER, "A page for drawing digits", page),
        "openapi.docs": Operation(SERVER, "This documentation as a page", page),
        "openapi.openapi_json": Operation(
            SERVER,
            "This documentation in OpenAPI 3.1",
            {"application/json": {"schema": {"type": "object"}}},
        ),
    }


_UPLOAD = {
    "type": "object",
    "properties": {
        "file": {"description": "The picture.", "type": "string", "format": "binary"},
    },
    "required": ["file"],
}


def json_content(schema: str, example: Any = None) -> Content:
    """Return the content of a JSON body whose schema is a component."""
    media_type: dict[str, Any] = {"schema": _reference(schema)}
    if example is not None:
        media_type["example"] = example
    return {"application/json": media_type}


def _reference(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _tensor(signature: ImageSignature, png: bytes) -> dict[str, Any]:
    """Return a picture as an input tensor of the model."""
    [candidate] = prepare_clean(images.decode(png)).candidates
    ink = reshape.to_model_input([candidate.image]).round().astype(int)
    shape = [size or 1 for size in signature.image_shape]
    data = ink.ravel().tolist()
    return {"name": signature.image, "shape": shape, "datatype": "FP32", "data": data}
