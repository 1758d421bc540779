"""Decodes JSON in requests and encodes it in responses."""

import functools
import types
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from flask import Response

from mnist_cli import output
from mnist_cli.errors import InputError

T = TypeVar("T")


def decode_json(kind: type[T], body: bytes) -> T:
    """Decode JSON and validate it against a type.

    Raises:
        InputError: the body is not JSON, or does not match the type.
    """
    try:
        decoded: T = _decoder(kind).decode(body)  # type: ignore[arg-type] # types are hashable
        return decoded
    except msgspec.ValidationError as error:
        raise InputError(f"the body does not match the schema: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise InputError("the JSON in the body is nested too deeply") from error


def nested_list(scalar: type, depth: int) -> Any:
    """Return the type of nested lists: `list[list[float]]` for `float` and 2."""
    kind: Any = scalar
    for _ in range(depth):
        kind = types.GenericAlias(list, (kind,))
    return kind


def json_response(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(output.to_json(body), status, mimetype="application/json")


@functools.cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)
