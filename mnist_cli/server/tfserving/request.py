"""Parses the requests of TensorFlow Serving's REST API, with the messages of that server."""

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple, TypeAlias

import msgspec
import numpy as np

from mnist_cli import images
from mnist_cli.errors import InputError
from mnist_cli.picture import Picture
from mnist_cli.runtimes import Batch
from mnist_cli.server.json_body import (
    Number,
    decode_json,
    nested_list,
    nesting_depth,
    number_array,
)
from mnist_cli.server.model_metadata import ImageSignature, to_batch
from mnist_cli.server.tfserving.base64_text import decode_base64

# Each picture of a request costs at least this much of its pixel budget, which limits a request to
# 1,000 pictures, so that no request delays the others for long.
MIN_PIXELS_CHARGED = images.MAX_PIXELS // 1_000

# One more than the images of any model, so that the error can name the shape.
MAX_IMAGE_DEPTH = 4

NamedValues: TypeAlias = dict[str, msgspec.Raw]

SignatureName: TypeAlias = Annotated[
    str, msgspec.Meta(description="A signature of the model; the default is `serving_default`.")
]


class TensorsRequest(msgspec.Struct):
    """The body of `:predict`, with either `instances` or `inputs`."""

    signature_name: SignatureName = ""
    instances: Annotated[
        msgspec.Raw,
        msgspec.Meta(
            description="Row format: a list of tensors, of pictures as `b64`, or of objects with "
            "the inputs by name.",
            extra_json_schema={"type": "array", "items": {}, "minItems": 1},
        ),
    ] = msgspec.field(default_factory=msgspec.Raw)
    inputs: Annotated[
        msgspec.Raw,
        msgspec.Meta(
            description="Columnar format: the input with all rows, alone or in an object by name.",
            extra_json_schema={"type": ["array", "object"], "items": {}},
        ),
    ] = msgspec.field(default_factory=msgspec.Raw)


class ExamplesRequest(msgspec.Struct):
    """The body of `:classify` and `:regress`."""

    signature_name: SignatureName = ""
    context: Annotated[NamedValues, msgspec.Meta(description="Features of all examples.")] = {}
    examples: Annotated[
        list[NamedValues] | msgspec.UnsetType,
        msgspec.Meta(
            description="Inputs by name; the picture is a flat list of numbers or `b64`.",
            extra_json_schema={"minItems": 1},
        ),
    ] = msgspec.UNSET


def is_row_format(request: TensorsRequest) -> bool:
    """Whether the tensors are in row format.

    TensorFlow Serving checks this after it has found the model and its signature, so that errors
    about those come first.

    Raises:
        InputError: the request has both or neither of `instances` and `inputs`.
    """
    if request.instances and request.inputs:
        raise InputError(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        )
    if not request.instances and not request.inputs:
        raise InputError("Missing 'inputs' or 'instances' key")
    return bool(request.instances)


def parse_examples_request(body: bytes) -> ExamplesRequest:
    """Decode a body, except its features.

    Raises:
        InputError: the body is not such a request, or has no examples.
    """
    request = decode_json(ExamplesRequest, body)
    if request.examples is msgspec.UNSET:
        raise InputError("When method is classify, key 'examples' is expected and was not found")
    if not request.examples:
        raise InputError("'examples' value is an empty array")
    return request


class ImageInput(NamedTuple):
    """An image of a request."""

    where: str
    """Its place in the request, for error messages."""
    image: "Batch | Picture"
    """The input of the model, float32 [1, 784], or a picture to be preprocessed."""


class ImageParser:
    """Parses images in the formats that a signature allows: tensors or pictures.

    Pictures are decoded one by one, when the caller iterates, to save memory.
    """

    def __init__(self, signature: ImageSignature) -> None:
        self._signature = signature
        self._pixel_budget = images.MAX_PIXELS

    def instances(self, raw: msgspec.Raw) -> Iterator[ImageInput]:
        """Parse row format: a list of tensors, `b64` pictures, or objects with inputs by name."""
        rows = _decode(_batch_type(raw), raw, "instances")
        if not rows:
            raise InputError("No values in 'instances' array")
        return self._rows(rows, "instances", named=True)

    def inputs(self, raw: msgspec.Raw) -> Iterator[ImageInput]:
        """Parse columnar format: the image input with all rows, alone or in an object by name."""
        return self._column(raw, "inputs", named=True)

    def examples(self, request: ExamplesRequest) -> Iterator[ImageInput]:
        """Parse examples of features: the image as a flat list of numbers or as `b64`."""
        assert isinstance(request.examples, list)
        rows = []
        for index, example in enumerate(request.examples):
            where = f"examples[{index}]"
            raw = self._image_value({**request.context, **example}, where)
            rows.append(_decode(_image_type(raw), raw, where))
        return self._rows(rows, "examples", named=False)

    def _column(self, raw: msgspec.Raw, where: str, named: bool) -> Iterator[ImageInput]:
        value = _decode(_batch_type(raw) | NamedValues, raw, where)
        if isinstance(value, list):
            return self._rows(value, where, named=False)
        if named and not _is_base64(value):
            image = self._image_value(value, where)
            return self._column(image, f"{where}.{self._signature.image}", named=False)
        return self._rows([value], where, named=False)

    def _rows(self, rows: list[Any], where: str, named: bool) -> Iterator[ImageInput]:
        if not rows:
            raise InputError(f"{where}: there are no values")
        return (self._row(row, f"{where}[{index}]", named) for index, row in enumerate(rows))

    def _row(self, row: Any, where: str, named: bool) -> ImageInput:
        if isinstance(row, dict) and named and not _is_base64(row):
            self._check_names(row, where)
            raw = self._image_value(row, where)
            where = f"{where}.{self._signature.image}"
            row = _decode(_image_type(raw), raw, where)
        try:
            if isinstance(row, dict):
                return ImageInput(where, self._decode_picture(row))
            return ImageInput(where, to_batch(number_array([row]), self._signature.image_shape))
        except InputError as error:
            raise InputError(f"{where}: {error}") from error

    def _decode_picture(self, value: NamedValues) -> Picture:
        picture = images.decode(_from_base64(value))
        self._pixel_budget -= max(math.prod(picture.full_size), MIN_PIXELS_CHARGED)
        if self._pixel_budget < 0:
            raise InputError("too many or too large pictures: split them into several requests")
        return picture

    def _image_value(self, values: Mapping[str, msgspec.Raw], where: str) -> msgspec.Raw:
        """Return the image among inputs by name; the other inputs must have their constant values.

        Unknown names are ignored, as in TensorFlow Serving.
        """
        signature = self._signature
        for name, info in signature.inputs.items():
            if name != signature.image and name in values:
                is_bool = info["dtype"] == "bool"
                kind: Any = bool | list[bool] if is_bool else float | list[float]
                signature.check_switch(name, np.array(_decode(kind, values[name], where)))
        if signature.image not in values:
            raise InputError(f"{where}: Missing named input: {signature.image}")
        return values[signature.image]

    def _check_names(self, row: NamedValues, where: str) -> None:
        """Reject unknown names, which TensorFlow Serving does only in row format."""
        inputs = self._signature.inputs
        if unknown := row.keys() - inputs.keys():
            known = ", ".join(sorted(inputs))
            raise InputError(
                f"{where}: JSON object: does not have named input: {min(unknown)}; {known}"
            )


def _image_type(raw: msgspec.Raw) -> Any:
    """Return the type of one image: lists, as deep as this one starts, or an object."""
    return nested_list(Number, _clip_depth(nesting_depth(raw))) | NamedValues


def _batch_type(raw: msgspec.Raw) -> Any:
    """Return the type of a list of images; numbers in it are an error of its shape."""
    depth = _clip_depth(nesting_depth(raw) - 1)
    return nested_list(nested_list(Number, depth) | NamedValues | Number, 1)


def _clip_depth(depth: int) -> int:
    return min(max(depth, 1), MAX_IMAGE_DEPTH)


def _decode(kind: Any, raw: msgspec.Raw, where: str) -> Any:
    try:
        return decode_json(kind, bytes(raw))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _is_base64(value: NamedValues) -> bool:
    return list(value) == ["b64"]


def _from_base64(value: NamedValues) -> bytes:
    if not _is_base64(value):
        raise InputError("expected numbers, or an object with `b64` alone")
    return decode_base64(_decode(str, value["b64"], "b64"))
