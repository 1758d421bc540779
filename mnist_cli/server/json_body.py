"""Decodes JSON in requests and encodes it in responses."""

import functools
import re
import types
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
from flask import Response

from mnist_cli import output
from mnist_cli.errors import InputError

T = TypeVar("T")

# Decoding takes about 100 bytes for each of these and holds the GIL, so that no other request is
# answered: 0.2 s for 500,000. Numbers cost a tenth.
MAX_CONTAINERS = 500_000

Number = int | float
"""The type of numbers in arrays. Python shares small integers, but allocates every float."""


def decode_json(kind: type[T], body: bytes) -> T:
    """Decode JSON and validate it against a type.

    Raises:
        InputError: the body is not JSON, does not match the type, or has more than MAX_CONTAINERS
            lists, objects and strings.
    """
    if len(body) > MAX_CONTAINERS:  # a smaller body cannot have more
        _check_containers(body)
    try:
        decoded: T = _decoder(kind).decode(body)  # type: ignore[arg-type] # types are hashable
        return decoded
    except msgspec.ValidationError as error:
        raise InputError(f"the body does not match the schema: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise InputError("the JSON in the body is nested too deeply") from error


def _check_containers(body: bytes) -> None:
    containers = body.count(b"[") + body.count(b"{") + body.count(b'"') // 2
    if containers > MAX_CONTAINERS:
        raise InputError(
            f"the JSON has {containers:,} lists, objects and strings, at most {MAX_CONTAINERS:,} "
            "are allowed: send flat lists, or split it into several requests"
        )


def number_array(values: list[Any]) -> npt.NDArray[np.float64]:
    """Convert nested lists of numbers to an array.

    Raises:
        InputError: lists have different lengths, or a number does not fit into a float.
    """
    try:
        return np.array(values, np.float64)
    except ValueError as error:
        raise InputError("the lists of a tensor must have equal lengths") from error
    except OverflowError as error:
        raise InputError("a number is out of range") from error


def nested_list(scalar: Any, depth: int) -> Any:
    """Return the type of nested lists: `list[list[float]]` for `float` and 2."""
    kind: Any = scalar
    for _ in range(depth):
        kind = types.GenericAlias(list, (kind,))
    return kind


def nesting_depth(raw: bytes | msgspec.Raw) -> int:
    """Return how many lists the JSON starts with: 2 for `[[0, 1], [2, 3]]`, 0 for an object."""
    brackets = re.match(rb"[\s\[]*", memoryview(raw)[:1000])
    assert brackets is not None  # the pattern matches the empty string, too
    return brackets[0].count(b"[")


def json_response(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(output.json_lines([body]), status, mimetype="application/json")


@functools.cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)
