"""Assembles the OpenAPI document from routes, operations and schemas."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from flask import current_app, request
from werkzeug.routing import Rule

from mnist_cli import __version__
from mnist_cli.option_types import PREPROCESSES
from mnist_cli.server.middleware import is_public
from mnist_cli.server.native import FLAG_VALUES
from mnist_cli.server.open_inference import JSON_LENGTH_HEADER
from mnist_cli.server.openapi.operations import TAGS, Content, Operation, json_content, operations
from mnist_cli.server.openapi.schemas import component_schemas
from mnist_cli.server.request_id import ID_HEADER
from mnist_cli.server.state import get_models, get_settings

Json = dict[str, Any]

LENGTH = {"type": "integer", "minimum": 0}
HEADERS = {
    ID_HEADER: {
        "description": "The ID of the request: as the client sent it, or a new one.",
        "schema": {"type": "string"},
    },
    JSON_LENGTH_HEADER: {
        "description": "The length of the JSON before the binary tensors, in bytes.",
        "schema": LENGTH,
    },
}

DESCRIPTION = (
    'Reads handwritten digits. Errors have the body `{"error": "..."}`, which names what was wrong '
    "and where. A host name that is not allowed is 403, an unknown path 404, an unsupported method "
    f"405 with the header `Allow`. Every response has the header `{ID_HEADER}`, taken from the "
    "request or new; the access log has it, too."
)

ERRORS = {
    HTTPStatus.BAD_REQUEST: "The request is invalid, or its picture has no digit.",
    HTTPStatus.UNAUTHORIZED: "The token is missing or wrong.",
    HTTPStatus.NOT_FOUND: "No model has that name or version.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body is larger than the limit of the server.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The Content-Type or Content-Encoding is not supported.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The model cannot be loaded.",
}


def document() -> Json:
    """Return the OpenAPI document of the app that handles the current request."""
    models = get_models()
    has_token = bool(get_settings().token)
    default = models.get()
    paths: Json = {}
    for endpoint, operation in operations(default.image_signature()).items():
        rules = current_app.url_map.iter_rules(endpoint)
        for rule in sorted(rules, key=lambda rule: len(rule.rule)):
            assert rule.methods is not None
            [method] = rule.methods - {"HEAD", "OPTIONS"}
            path = rule.rule.replace("<", "{").replace(">", "}")
            paths.setdefault(path, {})[method.lower()] = _operation(operation, rule, has_token)
    result: Json = {
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
            "schemas": component_schemas(),
            "parameters": _parameters(models.names, models.default, default.version),
            "headers": HEADERS,
            "responses": {
                str(int(status)): _response(text, json_content("ErrorRecord"))
                for status, text in ERRORS.items()
            },
        },
    }
    if has_token:
        result["security"] = [{"token": []}]
        result["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return result


def _operation(operation: Operation, rule: Rule, has_token: bool) -> Json:
    names = [*sorted(rule.arguments), *operation.parameters]
    result: Json = {
        "operationId": _operation_id(rule),
        "tags": [operation.tag],
        "summary": operation.summary,
        "parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names],
        "responses": {},
    }
    if operation.body:
        result["requestBody"] = {"required": True, "content": operation.body}
    # Models have no labels: every operation on one fails, except the status.
    succeeds = "label" not in rule.arguments or rule.endpoint == "tfserving.status"
    if operation.response and succeeds:
        content, headers = operation.response, operation.response_headers
        result["responses"]["200"] = _response("The response.", content, *headers)
    errors = {str(int(status)) for status in operation.errors}
    if has_token and is_public(rule.rule, rule.endpoint.rpartition(".")[0]):
        result["security"] = []
    elif has_token:
        errors.add("401")
    for status in sorted(errors):
        result["responses"][status] = {"$ref": f"#/components/responses/{status}"}
    return result


def _operation_id(rule: Rule) -> str:
    """Return a unique name, of which generators of clients make function names."""
    suffix = rule.arguments & {"version", "label"}
    return "_".join([*rule.endpoint.strip("_").split("."), *sorted(suffix)])


def _response(description: str, content: Content, *headers: str) -> Json:
    names = (ID_HEADER, *headers)
    return {
        "description": description,
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": content,
    }


def _parameters(names: list[str], default: str, version: str) -> Json:
    length = (
        "The length of the JSON in bytes, if binary tensors follow it; 0 if the body is only the "
        "binary image."
    )
    parameters: list[Json] = [
        _path("name", "The model.", default, enum=names),
        _path("version", "The version of the model.", version, pattern="^[0-9]{1,18}$"),
        _path(
            "label",
            "A label of a version. Models have no labels, so that every request but the one for "
            "the status fails.",
            "stable",
        ),
        _query("model", f"The model; the default is `{default}`.", names),
        _query(
            "preprocess",
            "`auto` (the default) locates the digit and normalizes it as in MNIST, `plain` only "
            "resizes the picture.",
            PREPROCESSES,
        ),
        _query("scores", "Add the ten probabilities.", FLAG_VALUES),
        _query("image", "Add the 28x28 pixels that the model sees.", FLAG_VALUES),
        _query("multi", "Return all digits of the picture, as a DigitsRecord.", FLAG_VALUES),
        {"name": JSON_LENGTH_HEADER, "in": "header", "description": length, "schema": LENGTH},
    ]
    return {parameter["name"]: parameter for parameter in parameters}


def _path(name: str, description: str, example: str, **schema: Any) -> Json:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", **schema},
        "example": example,
    }


def _query(name: str, description: str, values: Iterable[str]) -> Json:
    schema = {"type": "string", "enum": list(values)}
    return {"name": name, "in": "query", "description": description, "schema": schema}
