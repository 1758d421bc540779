"""From the JSON of TensorFlow Serving to pictures.

The forms are those of `util/json_tensor.cc` in the repository tensorflow/serving, the messages too
where they say enough.
"""

import base64
import functools
import types
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np

from mnist_cli import images, reshape
from mnist_cli.errors import InputError
from mnist_cli.option_types import Preprocess
from mnist_cli.runtimes import Batch
from mnist_cli.server.model_metadata import ImageSignature, to_batch
from mnist_cli.server.native import decode_json

# What a small picture costs besides its pixels: a request has up to 1,000 of them, so that none
# holds up the others for long.
MIN_PIXELS_CHARGED = images.MAX_PIXELS // 1_000

NamedValues: TypeAlias = dict[str, msgspec.Raw]

SignatureName: TypeAlias = Annotated[
    str, msgspec.Meta(description="A signature of the model; `serving_default` if left out.")
]


class TensorsRequest(msgspec.Struct):
    """The body of `:predict`; it has either `instances` or `inputs`."""

    signature_name: SignatureName = ""
    instances: Annotated[
        msgspec.Raw,
        msgspec.Meta(
            description="Row form: a list of tensors, of pictures as `b64`, or of objects by the "
            "names of the inputs.",
            extra_json_schema={"type": "array", "minItems": 1},
        ),
    ] = msgspec.field(default_factory=msgspec.Raw)
    inputs: Annotated[
        msgspec.Raw,
        msgspec.Meta(
            description="Column form: the input with all rows, alone or in an object by its name.",
            extra_json_schema={"type": ["array", "object"]},
        ),
    ] = msgspec.field(default_factory=msgspec.Raw)


class ExamplesRequest(msgspec.Struct):
    """The body of `:classify` and `:regress`."""

    signature_name: SignatureName = ""
    context: Annotated[
        NamedValues, msgspec.Meta(description="Features that all examples have in common.")
    ] = {}
    examples: Annotated[
        list[NamedValues] | msgspec.UnsetType,
        msgspec.Meta(
            description="Inputs by their names; the picture is a flat list of numbers or `b64`.",
            extra_json_schema={"minItems": 1},
        ),
    ] = msgspec.UNSET


def parse_tensors_request(body: bytes) -> TensorsRequest:
    """Decode the body, all but its tensors.

    Raises:
        InputError: it is no JSON, or no such request.
    """
    found: TensorsRequest = decode_json(_decoder(TensorsRequest), body)
    return found


def is_row_format(body: TensorsRequest) -> bool:
    """Whether the tensors are in row form.

    The server looks after it has found the model and its signature, as errors of those come first.

    Raises:
        InputError: it has not just one of `instances` and `inputs`.
    """
    if body.instances and body.inputs:
        raise InputError(
            "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        )
    if not body.instances and not body.inputs:
        raise InputError("Missing 'inputs' or 'instances' key")
    return bool(body.instances)


def parse_examples_request(body: bytes) -> ExamplesRequest:
    """Decode the body, all but its features.

    Raises:
        InputError: there are no examples.
    """
    found: ExamplesRequest = decode_json(_decoder(ExamplesRequest), body)
    if found.examples is msgspec.UNSET:
        raise InputError("When method is classify, key 'examples' is expected and was not found")
    if not found.examples:
        raise InputError("'examples' value is an empty array")
    return found


class ImageParser:
    """Reads pictures in the forms that a signature allows -> float32 [N, 784]."""

    def __init__(self, signature: ImageSignature, preprocess: Preprocess) -> None:
        self._signature = signature
        self._preprocess = preprocess
        self._budget = images.MAX_PIXELS
        # One picture: numbers in lists as deep as the shape, or an object.
        self._one: Any = float
        for _ in signature.image_shape[1:]:
            self._one = types.GenericAlias(list, (self._one,))
        self._one |= NamedValues
        self._many: Any = types.GenericAlias(list, (self._one,))

    def instances(self, raw: msgspec.Raw) -> Batch:
        """Row form: a list of tensors, of `b64` pictures, or of objects by the inputs' names."""
        rows = _decode(self._many, raw, "instances")
        if not rows:
            raise InputError("No values in 'instances' array")
        return self._rows(rows, "instances", named=True)

    def inputs(self, raw: msgspec.Raw) -> Batch:
        """Column form: the image input with all rows, alone or in an object by its name."""
        return self._column(raw, "inputs", named=True)

    def examples(self, body: ExamplesRequest) -> Batch:
        """Examples of features: the picture as a flat list of numbers or as `b64`."""
        assert isinstance(body.examples, list)
        rows = []
        for index, example in enumerate(body.examples):
            where = f"examples[{index}]"
            picture = self._picture({**body.context, **example}, where)
            value = _decode(list[float] | NamedValues, picture, where)
            if isinstance(value, list):
                value = self._unflattened(value, where)
            rows.append(value)
        return self._rows(rows, "examples", named=False)

    def _column(self, raw: msgspec.Raw, where: str, named: bool) -> Batch:
        value = _decode(self._many | NamedValues, raw, where)
        if isinstance(value, list):
            return self._rows(value, where, named=False)
        if named and not _is_base64(value):
            picture = self._picture(value, where)
            return self._column(picture, f"{where}.{self._signature.image}", named=False)
        return self._rows([value], where, named=False)

    def _rows(self, rows: list[Any], where: str, named: bool) -> Batch:
        if not rows:
            raise InputError(f"{where}: there are no values")
        return np.concatenate(
            [self._row(row, f"{where}[{index}]", named) for index, row in enumerate(rows)]
        )

    def _row(self, row: Any, where: str, named: bool) -> Batch:
        if isinstance(row, dict) and named and not _is_base64(row):
            self._check_names(row, where)
            picture = self._picture(row, where)
            where = f"{where}.{self._signature.image}"
            row = _decode(self._one, picture, where)
        try:
            if isinstance(row, dict):
                return reshape.preprocess_batch([self._decoded(row)], self._preprocess)
            return to_batch(_array([row]), self._signature.image_shape)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error

    def _decoded(self, picture: NamedValues) -> reshape.Pixels:
        pixels = images.decode(_from_base64(picture))
        self._budget -= max(pixels.size, MIN_PIXELS_CHARGED)
        if self._budget < 0:
            raise InputError("too many pictures, or too large ones, for one request: send several")
        return pixels

    def _picture(self, values: Mapping[str, msgspec.Raw], where: str) -> msgspec.Raw:
        """The value of the image among inputs by name; the others have to be switched off.

        Names that the signature does not have are passed over, as in the server.
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
        """In row form alone, the server takes no name that the signature does not have."""
        inputs = self._signature.inputs
        if unknown := row.keys() - inputs.keys():
            known = ", ".join(sorted(inputs))
            raise InputError(
                f"{where}: JSON object: does not have named input: {min(unknown)}; {known}"
            )

    def _unflattened(self, values: list[float], where: str) -> Any:
        try:
            return np.reshape(values, [size or 1 for size in self._signature.image_shape[1:]])
        except ValueError as error:
            raise InputError(f"{where}: {len(values)} values, expected 784") from error


@functools.cache
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind)


def _decode(kind: Any, raw: msgspec.Raw, where: str) -> Any:
    try:
        return decode_json(_decoder(kind), bytes(raw))
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def _array(row: list[Any]) -> Any:
    try:
        return np.array(row, np.float64)
    except ValueError as error:
        raise InputError("lists of different lengths are no tensor") from error


def _is_base64(value: NamedValues) -> bool:
    return list(value) == ["b64"]


def _from_base64(value: NamedValues) -> bytes:
    if not _is_base64(value):
        raise InputError("expected numbers or an object with `b64` alone")
    text = "".join(_decode(str, value["b64"], "b64").split()).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise InputError("Unable to base64 decode") from error
