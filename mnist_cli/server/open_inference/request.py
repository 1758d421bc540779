"""Parses the requests of the Open Inference Protocol, with the messages of Triton."""

import math
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from mnist_cli.errors import InputError
from mnist_cli.runtimes import Batch
from mnist_cli.server.json_body import (
    Number,
    decode_json,
    nested_list,
    nesting_depth,
    number_array,
)
from mnist_cli.server.model_metadata import ImageSignature, to_batch
from mnist_cli.server.open_inference.binary import BinaryData
from mnist_cli.signature import shape_text

# Binary tensors are little-endian.
DATATYPES: dict[str, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BOOL": np.dtype("?"),
}
# Parameters of other Triton extensions. Ignoring them would not return what was requested.
UNSUPPORTED = {"classification", "shared_memory_region"}

Parameters = dict[str, str | int | float | bool]

# These limits are documentation: `image_batch` checks them, with the messages of Triton.
Shape = Annotated[
    list[Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 0})]],
    msgspec.Meta(extra_json_schema={"maxItems": 4}),
]
Datatype = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(DATATYPES)})]


class RequestInput(msgspec.Struct):
    """An input tensor: in `data`, or after the JSON if it has a `binary_data_size`."""

    name: str
    shape: Shape
    datatype: Datatype
    parameters: Parameters = {}
    data: Annotated[
        msgspec.Raw,
        msgspec.Meta(
            description="The values, flat or nested as deep as `shape`.",
            extra_json_schema={"type": "array", "items": {}},
        ),
    ] = msgspec.field(default_factory=msgspec.Raw)


class RequestOutput(msgspec.Struct):
    """A requested output tensor."""

    name: str
    parameters: Parameters = {}


class InferRequest(msgspec.Struct):
    """The body of `/infer`."""

    inputs: list[RequestInput]
    id: str | None = None
    parameters: Parameters = {}
    outputs: list[RequestOutput] = []


def raw_binary_request(size: int, signature: ImageSignature) -> InferRequest:
    """Return the request that a body of `size` bytes without JSON stands for: a binary image."""
    sizes = [size or 1 for size in signature.image_shape[1:]]
    count = size // (math.prod(sizes) * DATATYPES["FP32"].itemsize)
    image = RequestInput(
        signature.image, [count, *sizes], "FP32", parameters={"binary_data_size": size}
    )
    return InferRequest([image], parameters={"binary_data_output": True})


def wants_binary_output(request: InferRequest, scores: str, model: str) -> bool:
    """Whether the scores, the only output, are requested in binary.

    Raises:
        InputError: another output is requested, or the same twice, or a parameter is invalid.
    """
    by_default = _flag(request.parameters, "binary_data_output")
    for output in request.outputs:
        if output.name != scores:
            raise InputError(f"unexpected inference output '{output.name}' for model '{model}'")
        _check_parameters(output.parameters)
    if len(request.outputs) > 1:
        raise InputError(f"output '{scores}' is requested twice")
    flags = [_flag(output.parameters, "binary_data") for output in request.outputs]
    return flags[0] if flags else by_default


def image_batch(
    request: InferRequest, signature: ImageSignature, binary: BinaryData, model: str
) -> Batch:
    """Return the image input of a request, float32 [N, 784].

    Raises:
        InputError: the inputs do not match the signature of the model.
    """
    tensors: dict[str, npt.NDArray[Any]] = {}
    for tensor in request.inputs:
        if tensor.name not in signature.inputs:
            raise InputError(f"unexpected inference input '{tensor.name}' for model '{model}'")
        if tensor.name in tensors:
            raise InputError(f"input '{tensor.name}' is given twice")
        try:
            tensors[tensor.name] = _values(tensor, signature, binary)
        except InputError as error:
            raise InputError(f"input '{tensor.name}' for model '{model}': {error}") from error
    if not binary.is_empty:
        raise InputError(f"unexpected additional input data for model '{model}'")
    if signature.image not in tensors:
        raise InputError(f"missing required input '{signature.image}' for model '{model}'")
    image = tensors.pop(signature.image)
    for name, values in tensors.items():
        signature.check_switch(name, values)
    return to_batch(image, signature.image_shape)


def _values(
    tensor: RequestInput, signature: ImageSignature, binary: BinaryData
) -> npt.NDArray[Any]:
    _check_parameters(tensor.parameters)
    is_bool = signature.inputs[tensor.name]["dtype"] == "bool"
    expected = ["BOOL"] if is_bool else ["FP32", "FP64"]
    if tensor.datatype not in expected:
        raise InputError(f"data-type is '{tensor.datatype}', expected {' or '.join(expected)}")
    if min(tensor.shape, default=0) < 0 or len(tensor.shape) > 4:
        raise InputError("Unable to parse 'shape'")
    is_binary = "binary_data_size" in tensor.parameters
    if is_binary == bool(tensor.data):
        found = "set 'data' 'binary_data_size'" if is_binary else "no field is set"
        raise InputError(
            "Input must set only one of the following fields: 'data', 'binary_data_size' in "
            f"'parameters'. But {found}"
        )
    values = _from_binary(tensor, binary) if is_binary else _from_json(tensor)
    try:
        return values.reshape(tensor.shape)
    except ValueError as error:  # a size of 0 hides sizes that no array can have
        raise InputError("Unable to parse 'shape'") from error


def _from_binary(tensor: RequestInput, binary: BinaryData) -> npt.NDArray[Any]:
    dtype = DATATYPES[tensor.datatype]
    expected = math.prod(tensor.shape) * dtype.itemsize
    data = binary.read(tensor.parameters["binary_data_size"])
    if len(data) != expected:
        raise InputError(f"input byte size mismatch. Expected {expected}, got {len(data)}")
    return np.frombuffer(data, dtype)


def _from_json(tensor: RequestInput) -> npt.NDArray[Any]:
    """Return the values of `data`, which is flat or nested as deep as the shape."""
    raw = bytes(tensor.data)
    depth = 1 if nesting_depth(raw) <= 1 else max(len(tensor.shape), 1)
    # Numbers in JSON have no width: they become float64; `to_batch` checks the range.
    scalar = bool if tensor.datatype == "BOOL" else Number
    lists = decode_json(nested_list(scalar, depth), raw)
    try:
        values = number_array(lists)
    except InputError as error:
        raise InputError(f"Unable to parse 'data': {error}") from error
    if depth > 1 and list(values.shape) != tensor.shape:
        raise InputError(
            f"Unable to parse 'data': Shape does not match: {shape_text([*values.shape])}"
        )
    if values.size != math.prod(tensor.shape):
        raise InputError(
            "Unable to parse 'data': Shape does not match true shape of 'data' field: "
            f"{values.size} values for {shape_text([*tensor.shape])}"
        )
    return values


def _flag(parameters: Parameters, name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"Unable to parse '{name}'")
    return value


def _check_parameters(parameters: Parameters) -> None:
    if unsupported := UNSUPPORTED & parameters.keys():
        raise InputError(f"parameter '{min(unsupported)}' is not supported")
