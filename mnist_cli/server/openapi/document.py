"""The OpenAPI document: the routes of the app, with the types that decode their bodies."""

import functools
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import msgspec
from flask import current_app, request
from werkzeug.routing import Rule

from mnist_cli import __version__
from mnist_cli.option_types import PREPROCESSES
from mnist_cli.server.middleware import is_public
from mnist_cli.server.native import FLAG_VALUES, PicArrayRequest
from mnist_cli.server.open_inference import JSON_LENGTH_HEADER, InferRequest
from mnist_cli.server.openapi.operations import TAGS, Content, Operation, json_content, operations
from mnist_cli.server.openapi.schemas import ResponseBody
from mnist_cli.server.state import get_models, get_settings
from mnist_cli.server.tfserving import ExamplesRequest, TensorsRequest

Json = dict[str, Any]

LENGTH = {"type": "integer", "minimum": 0}
HEADERS = {
    "X-Request-ID": {"description": "As sent, or new.", "schema": {"type": "string"}},
    JSON_LENGTH_HEADER: {
        "description": "The length of the JSON before the binary.",
        "schema": LENGTH,
    },
}

DESCRIPTION = (
    'Reads handwritten digits. An error is `{"error": "..."}`: what was wrong, and where. An '
    "unknown path is 404, and a wrong method 405 with `Allow`. Every answer has an `X-Request-ID`, "
    "the one of the request or a new one, which is in the log, too."
)

ERRORS = {
    HTTPStatus.BAD_REQUEST: "The request cannot be read, or has no digit in it.",
    HTTPStatus.UNAUTHORIZED: "The token is missing or wrong.",
    HTTPStatus.NOT_FOUND: "There is no such model or version.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than the server takes.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The Content-Type is none of these.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The model cannot be loaded.",
}


def document() -> Json:
    """The OpenAPI document of the app that answers the current request."""
    models = get_models()
    settings = get_settings()
    default = models.get()
    signature = default.image_signature()
    paths: Json = {}
    for endpoint, route in operations(signature).items():
        rules = current_app.url_map.iter_rules(endpoint)
        for rule in sorted(rules, key=lambda rule: len(rule.rule)):
            assert rule.methods is not None
            [method] = rule.methods - {"HEAD", "OPTIONS"}
            path = rule.rule.replace("<", "{").replace(">", "}")
            operation = _operation(route, rule, bool(settings.token))
            paths.setdefault(path, {})[method.lower()] = operation
    described: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "mnist",
            "version": __version__,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": request.script_root or "/"}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "parameters": _parameters(models.names, models.default, default.version),
            "headers": HEADERS,
            "responses": {
                str(int(status)): _response(text, json_content("Error"))
                for status, text in ERRORS.items()
            },
        },
    }
    if settings.token:
        described["security"] = [{"token": []}]
        described["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return described


def _operation(route: Operation, rule: Rule, has_token: bool) -> Json:
    names = [*sorted(rule.arguments), *route.parameters]
    operation: Json = {
        "tags": [route.tag],
        "summary": route.summary,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names],
        "responses": {},
    }
    if route.body:
        operation["requestBody"] = {"required": True, "content": route.body}
    # There are no labels here; for a status they do not matter.
    if route.answer and ("label" not in rule.arguments or rule.endpoint == "tfserving.status"):
        answer = _response("The answer.", route.answer, *route.response_headers)
        operation["responses"]["200"] = answer
    errors = {str(int(status)) for status in route.errors}
    if has_token and is_public(rule.rule, rule.endpoint.rpartition(".")[0]):
        operation["security"] = []
    elif has_token:
        errors.add("401")
    for status in sorted(errors):
        operation["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return operation


def _response(description: str, content: Content, *headers: str) -> Json:
    names = ("X-Request-ID", *headers)
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": content,
    }


@functools.cache
def _schemas() -> Json:
    requests = [PicArrayRequest, TensorsRequest, ExamplesRequest, InferRequest]
    _, schemas = msgspec.json.schema_components(
        [*requests, *ResponseBody.__subclasses__()], ref_template="#/components/schemas/{name}"
    )
    # Checked after decoding, with messages of their own.
    schemas["TensorsRequest"]["oneOf"] = [{"required": ["instances"]}, {"required": ["inputs"]}]
    schemas["ExamplesRequest"]["required"] = ["examples"]
    return schemas


def _parameters(names: list[str], default: str, version: str) -> Json:
    length = (
        "The length of the JSON in bytes, if tensors in binary follow it; 0 if the body is the "
        "image alone."
    )
    described: list[Json] = [
        {
            "name": "name",
            "in": "path",
            "required": True,
            "description": "The model.",
            "schema": {"type": "string", "enum": names},
            "example": default,
        },
        {
            "name": "version",
            "in": "path",
            "required": True,
            "description": "The version of the model.",
            "schema": {"type": "string", "pattern": "^[0-9]{1,18}$"},
            "example": version,
        },
        {
            "name": "label",
            "in": "path",
            "required": True,
            "description": "A label of a version. There are none: an error, but for the status.",
            "schema": {"type": "string"},
            "example": "stable",
        },
        _query("model", f"The model; `{default}` if left out.", names),
        _query("preprocess", "How the picture is framed; `auto` if left out.", PREPROCESSES),
        _query("scores", "Whether the ten probabilities are answered.", FLAG_VALUES),
        _query("image", "Whether the picture that the model sees is answered.", FLAG_VALUES),
        _query(
            "multi", "Whether all digits of the picture are answered, as `Digits`.", FLAG_VALUES
        ),
        {"name": JSON_LENGTH_HEADER, "in": "header", "description": length, "schema": LENGTH},
    ]
    return {parameter["name"]: parameter for parameter in described}


def _query(name: str, description: str, values: Iterable[str]) -> Json:
    schema = {"type": "string", "enum": list(values)}
    return {"name": name, "in": "query", "description": description, "schema": schema}
