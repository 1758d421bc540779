"""Describes the bodies of requests and responses as JSON Schemas.

The types that decode requests describe them, `mnist_cli.records` describes digits and errors, and
the types below describe the other responses, which `tests/test_openapi.py` compares with them.
"""

import functools
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from mnist_cli.records import DigitRecord, DigitsRecord, ErrorRecord, PredictionRecord
from mnist_cli.server.native import PicArrayRequest
from mnist_cli.server.open_inference import InferRequest, Parameters
from mnist_cli.server.tfserving import ExamplesRequest, TensorsRequest

REQUESTS = (PicArrayRequest, TensorsRequest, ExamplesRequest, InferRequest)
RECORDS = (PredictionRecord, DigitsRecord, DigitRecord, ErrorRecord)

Score: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Scores: TypeAlias = Annotated[
    list[Score],
    Meta(
        min_length=10,
        max_length=10,
        description="The probabilities of the digits 0 to 9; they sum to 1.",
    ),
]
# A pair, described as a list, since not all tools support `prefixItems`.
LabelAndScore: TypeAlias = Annotated[list[str | Score], Meta(min_length=2, max_length=2)]


class ResponseBody(Struct):
    """The body of a response."""


class Health(ResponseBody):
    """The server is running."""

    status: Literal["ok"]


class Status(Struct):
    """The status of a version; always OK."""

    error_code: Literal["OK"]
    error_message: Literal[""]


class VersionStatus(Struct):
    """The state of a version of a model."""

    version: str
    state: Literal["AVAILABLE"]
    status: Status


class ModelStatusResponse(ResponseBody):
    """The states of the versions of a model; always one."""

    model_version_status: list[VersionStatus]


class Dimension(Struct):
    """A dimension of a shape; the size -1 is unknown."""

    size: str
    name: str


class TensorShape(Struct):
    """The shape of a tensor."""

    dim: list[Dimension]
    unknown_rank: bool


class TensorInfo(Struct):
    """A tensor of a signature."""

    dtype: str
    tensor_shape: TensorShape
    name: str


class SignatureDef(Struct):
    """A signature of a model."""

    inputs: dict[str, TensorInfo]
    outputs: dict[str, TensorInfo]
    method_name: str
    defaults: dict[str, Any]


class SignatureDefMap(Struct):
    """The signatures of a model by name."""

    signature_def: dict[str, SignatureDef]


class MetadataEntries(Struct):
    """The metadata of a model; `signature_def` is the only kind."""

    signature_def: SignatureDefMap


class ModelSpec(Struct):
    """The model that the metadata describes."""

    name: str
    signature_name: str
    version: str


class ModelMetadataResponse(ResponseBody):
    """The signatures of a model."""

    model_spec: ModelSpec
    metadata: MetadataEntries


class TensorsResponse(ResponseBody):
    """Scores: `predictions` for `instances`, `outputs` for `inputs`; several by name."""

    predictions: list[Scores | dict[str, Scores]] | UnsetType = UNSET
    outputs: list[Scores] | dict[str, list[Scores]] | UnsetType = UNSET


class ClassifyResponse(ResponseBody):
    """A list of label and score for each of the examples; the labels are "0" to "9"."""

    results: list[list[LabelAndScore]]


class ServerMetadata(ResponseBody):
    """The server and the protocol extensions that it supports."""

    name: str
    version: str
    extensions: list[str]


class Live(ResponseBody):
    """The server is running."""

    live: Literal[True]


class Ready(ResponseBody):
    """The default model is loaded."""

    ready: Literal[True]


class ModelReady(ResponseBody):
    """The model is loaded."""

    name: str
    ready: Literal[True]


class TensorMetadata(Struct):
    """A tensor of a model; the size -1 is unknown."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(ResponseBody):
    """The tensors of a model: the image, as it was trained, and the scores."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class TensorConfig(Struct):
    """A tensor of a model; the size -1 is unknown."""

    name: str
    data_type: str
    dims: list[int]


class ModelConfig(ResponseBody):
    """The tensors of a model, in the names of Triton; the dims include the batch."""

    name: str
    platform: str
    max_batch_size: int
    input: list[TensorConfig]
    output: list[TensorConfig]


class ResponseOutput(Struct):
    """The scores [N, 10]: flat in `data`, or after the JSON if they were requested in binary."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Score] | UnsetType = UNSET
    parameters: Parameters | UnsetType = UNSET


class InferResponse(ResponseBody):
    """The scores of a batch."""

    model_name: str
    model_version: str
    outputs: list[ResponseOutput]
    id: str | UnsetType = UNSET
    parameters: Parameters | UnsetType = UNSET


@functools.cache
def component_schemas() -> dict[str, Any]:
    """Return the schemas of all bodies by name."""
    _, schemas = msgspec.json.schema_components(
        [*REQUESTS, *RECORDS, *ResponseBody.__subclasses__()],
        ref_template="#/components/schemas/{name}",
    )
    for record in RECORDS:
        _add_keywords(schemas[record.__name__], record)
    # Checked after decoding, with a message of its own.
    schemas["ExamplesRequest"]["required"] = ["examples"]
    _add_types(schemas)
    return schemas


def _add_types(node: Any) -> None:
    """Add the types of enums, which msgspec omits, for generators of clients."""
    if isinstance(node, list):
        for value in node:
            _add_types(value)
    elif isinstance(node, dict):
        for value in node.values():
            _add_types(value)
        if node.get("enum") == [True]:
            del node["enum"]
            node |= {"type": "boolean", "const": True}
        elif "enum" in node:
            node["type"] = "string"


def _add_keywords(schema: dict[str, Any], hint: Any) -> None:
    """Add the JSON Schema keywords in `Annotated`, which msgspec ignores, to a schema."""
    if get_origin(hint) is Annotated:
        inner, *keywords = get_args(hint)
        _add_keywords(schema, inner)
        for some in keywords:
            schema.update(some)
    elif "properties" in schema:
        hints = get_type_hints(hint, include_extras=True)
        schema["properties"] = {name: schema["properties"][name] for name in hints}  # in order
        for name, field_hint in hints.items():
            _add_keywords(schema["properties"][name], field_hint)
    elif "items" in schema:
        _add_keywords(schema["items"], get_args(hint)[0])
