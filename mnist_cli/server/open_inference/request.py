"""The request of the Open Inference Protocol v2, and the tensors in it.

Messages are those of `src/http_server.cc` in the repository triton-inference-server/server, where
they say enough.
"""

import functools
import math
import re
import types
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from mnist_cli.errors import InputError
from mnist_cli.runtimes import Batch
from mnist_cli.server.model_metadata import ImageSignature, to_batch
from mnist_cli.server.native import decode_json
from mnist_cli.server.open_inference.binary import BinaryData
from mnist_cli.signature import shape_text

# How they lie in memory: in binary, tensors are little-endian.
DATATYPES: dict[str, np.dtype[Any]] = {
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
    "BOOL": np.dtype("?"),
}
# Parameters of Triton's other extensions: to pass over them would answer something else.
UNSUPPORTED = {"classification", "shared_memory_region"}

Parameters = dict[str, str | int | float | bool]

# What is only described here is checked in `pictures`, with the messages of Triton.
Shape = Annotated[
    list[Annotated[int, msgspec.Meta(extra_json_schema={"minimum": 0})]],
    msgspec.Meta(extra_json_schema={"maxItems": 4}),
]
Datatype = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(DATATYPES)})]


class RequestInput(msgspec.Struct):
    """A tensor of the request: in `data`, or after the JSON if it has a `binary_data_size`."""

    name: str
    shape: Shape
    datatype: Datatype
    parameters: Parameters = {}
    data: Annotated[
        msgspec.Raw,
        msgspec.Meta(
            description="The values, flat or nested as deep as `shape`.",
            extra_json_schema={"type": "array"},
        ),
    ] = msgspec.field(default_factory=msgspec.Raw)


class RequestOutput(msgspec.Struct):
    """A tensor that is asked for."""

    name: str
    parameters: Parameters = {}


class InferRequest(msgspec.Struct):
    """The body of `/infer`."""

    inputs: list[RequestInput]
    id: str | None = None
    parameters: Parameters = {}
    outputs: list[RequestOutput] = []


_request = msgspec.json.Decoder(InferRequest)


def parse_request(head: bytes) -> InferRequest:
    """Decode the JSON of a request.

    Raises:
        InputError: it is no JSON, or no such request.
    """
    found: InferRequest = decode_json(_request, head)
    return found


def raw_binary_request(size: int, signature: ImageSignature) -> InferRequest:
    """What a body of `size` bytes without JSON stands for: the image, and the scores in binary."""
    sizes = [size or 1 for size in signature.image_shape[1:]]
    count = size // (math.prod(sizes) * DATATYPES["FP32"].itemsize)
    image = RequestInput(
        signature.image, [count, *sizes], "FP32", parameters={"binary_data_size": size}
    )
    return InferRequest([image], parameters={"binary_data_output": True})


def wants_binary_output(body: InferRequest, scores: str, model: str) -> bool:
    """Whether the scores, the only output, are asked for in binary.

    The specification of the extension lets `binary_data_output` hold for outputs that are listed
    too; the server, which is followed here, takes it for requests that list none.

    Raises:
        InputError: another output is asked for, or it is not told how.
    """
    by_default = _flag(body.parameters, "binary_data_output")
    for wanted in body.outputs:
        if wanted.name != scores:
            raise InputError(f"unexpected inference output '{wanted.name}' for model '{model}'")
        _check_parameters(wanted.parameters)
    flags = [_flag(wanted.parameters, "binary_data") for wanted in body.outputs]
    return flags[0] if flags else by_default


def image_batch(
    body: InferRequest, signature: ImageSignature, binary: BinaryData, model: str
) -> Batch:
    """The image among the inputs -> float32 [N, 784].

    Raises:
        InputError: the inputs are not those of the model.
    """
    tensors: dict[str, npt.NDArray[Any]] = {}
    for tensor in body.inputs:
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
    found = tensors.pop(signature.image)
    for name, values in tensors.items():
        signature.check_switch(name, values)
    return to_batch(found, signature.image_shape)


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
    dtype, count = DATATYPES[tensor.datatype], math.prod(tensor.shape)
    is_binary = "binary_data_size" in tensor.parameters
    if is_binary == bool(tensor.data):
        found = "set 'data' 'binary_data_size'" if is_binary else "no field is set"
        raise InputError(
            "Input must set only one of the following fields: 'data', 'binary_data_size' in "
            f"'parameters'. But {found}"
        )
    if is_binary:
        blob = binary.take(tensor.parameters["binary_data_size"])
        if len(blob) != count * dtype.itemsize:
            raise InputError(
                f"input byte size mismatch. Expected {count * dtype.itemsize}, got {len(blob)}"
            )
        values = np.frombuffer(blob, dtype)
    else:
        values = _from_json(tensor, dtype)
        if values.size != count:
            raise InputError(
                "Unable to parse 'data': Shape does not match true shape of 'data' field: "
                f"{values.size} values for {shape_text([*tensor.shape])}"
            )
    shaped: npt.NDArray[Any] = values.reshape(tensor.shape)
    return shaped


def _from_json(tensor: RequestInput, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """`data`, flat or nested as deep as the shape."""
    raw = bytes(tensor.data)
    brackets = re.match(rb"[\s\[]*", raw[:1000])
    assert brackets is not None  # it matches nothing, too
    depth = 1 if brackets[0].count(b"[") <= 1 else max(len(tensor.shape), 1)
    # JSON knows no width: numbers are read as they are, and checked against float32 at the end.
    scalar, dtype = (bool, dtype) if dtype == np.bool_ else (float, np.dtype(np.float64))
    values = decode_json(_decoder(scalar, depth), raw)
    try:
        array = np.array(values, dtype)
    except ValueError as error:
        raise InputError("Unable to parse 'data': its lists have different lengths") from error
    if depth > 1 and list(array.shape) != tensor.shape:
        raise InputError(
            f"Unable to parse 'data': Shape does not match: {shape_text([*array.shape])}"
        )
    return array


@functools.cache
def _decoder(scalar: type, depth: int) -> "msgspec.json.Decoder[Any]":
    kind: Any = scalar
    for _ in range(depth):
        kind = types.GenericAlias(list, (kind,))
    return msgspec.json.Decoder(kind)


def _flag(parameters: Parameters, name: str) -> bool:
    value = parameters.get(name, False)
    if not isinstance(value, bool):
        raise InputError(f"Unable to parse '{name}'")
    return value


def _check_parameters(parameters: Parameters) -> None:
    if unsupported := UNSUPPORTED & parameters.keys():
        raise InputError(f"parameter '{min(unsupported)}' is not supported")
