"""What the routes answer, as types: their schemas are part of the OpenAPI document.

The requests are described by the types that decode them. The answers are written as they are, for
speed; these types follow them, and a test compares both.
"""

from typing import Annotated, Any, Literal, TypeAlias

from msgspec import UNSET, Meta, Struct, UnsetType

from mnist_cli.server.open_inference import Parameters

Score: TypeAlias = Annotated[float, Meta(ge=0, le=1)]
Scores: TypeAlias = Annotated[
    list[Score],
    Meta(min_length=10, max_length=10, description="The probabilities of 0 to 9; their sum is 1."),
]
ImageRow: TypeAlias = Annotated[
    list[Annotated[int, Meta(ge=0, le=255)]], Meta(min_length=28, max_length=28)
]
Image: TypeAlias = Annotated[
    list[ImageRow],
    Meta(
        min_length=28,
        max_length=28,
        description="With `image=1`: the picture that the model sees, 0 for black ink to 255 for "
        "white paper.",
    ),
]
# A pair, told as a list: not all tools know `prefixItems`.
LabelAndScore: TypeAlias = Annotated[list[str | Score], Meta(min_length=2, max_length=2)]


class ResponseBody(Struct):
    """The body of an answer."""


class Error(ResponseBody):
    """What was wrong, and where."""

    error: str


class PredictedImage(Struct, kw_only=True):
    """What is told of each digit."""

    prediction: Annotated[int, Meta(ge=0, le=9, description="The digit.")]
    probability: Annotated[float, Meta(ge=0, le=100, description="Of that digit, in percent.")]
    digitness: Annotated[Score, Meta(description="How surely there is one digit.")]
    uncertain: Annotated[
        Literal[True] | UnsetType,
        Meta(description="Only where the digitness is below that of 99 % of MNIST."),
    ] = UNSET
    scores: Scores | UnsetType = UNSET
    image: Image | UnsetType = UNSET


class Prediction(PredictedImage, ResponseBody, kw_only=True):
    """The digit in a picture; fields are only ever added."""

    model: Annotated[str, Meta(description="The model that answered.")]


Box: TypeAlias = Annotated[
    list[Annotated[int, Meta(ge=0)]],
    Meta(
        min_length=4,
        max_length=4,
        description="Left and upper edge, width and height in pixels of the upright picture.",
    ),
]


class Digit(PredictedImage, kw_only=True):
    """One of several digits in a picture."""

    box: Box


class Digits(ResponseBody):
    """With `multi=1`: all digits of a picture, in reading order; fields are only ever added."""

    text: Annotated[str, Meta(description="The digits, a line for each line of the picture.")]
    digits: list[Digit]
    model: Annotated[str, Meta(description="The model that answered.")]


class Health(ResponseBody):
    """The server is up."""

    status: Literal["ok"]


class Status(Struct):
    """That all is well with a version."""

    error_code: Literal["OK"]
    error_message: Literal[""]


class VersionStatus(Struct):
    """The state of a version of a model."""

    version: str
    state: Literal["AVAILABLE"]
    status: Status


class ModelStatusResponse(ResponseBody):
    """The versions of a model; here it is always one."""

    model_version_status: list[VersionStatus]


class Dimension(Struct):
    """The size of a dimension, -1 for any."""

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
    """The signatures of a model by their names."""

    signature_def: dict[str, SignatureDef]


class MetadataEntries(Struct):
    """The only kind of metadata that there is."""

    signature_def: SignatureDefMap


class ModelSpec(Struct):
    """Which model it is."""

    name: str
    signature_name: str
    version: str


class ModelMetadataResponse(ResponseBody):
    """The signatures of a model."""

    model_spec: ModelSpec
    metadata: MetadataEntries


class TensorsResponse(ResponseBody):
    """Scores: `predictions` for `instances`, `outputs` for `inputs`; by name if there are more."""

    predictions: list[Scores | dict[str, Scores]] | UnsetType = UNSET
    outputs: list[Scores] | dict[str, list[Scores]] | UnsetType = UNSET


class ClassifyResponse(ResponseBody):
    """A list of label and score for each of the examples; the labels are "0" to "9"."""

    results: list[list[LabelAndScore]]


class ServerMetadata(ResponseBody):
    """The server, and which extensions of the protocol it knows."""

    name: str
    version: str
    extensions: list[str]


class Live(ResponseBody):
    """The server is up."""

    live: Literal[True]


class Ready(ResponseBody):
    """The default model is loaded."""

    ready: Literal[True]


class ModelReady(ResponseBody):
    """The model is loaded."""

    name: str
    ready: Literal[True]


class TensorMetadata(Struct):
    """A tensor of a model; the size -1 is any."""

    name: str
    datatype: str
    shape: list[int]


class ModelMetadata(ResponseBody):
    """The tensors of a model: the image, ink 1.0 and paper 0.0, and the scores."""

    name: str
    versions: list[str]
    platform: str
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ResponseOutput(Struct):
    """The scores [N, 10]: in `data`, flat, or after the JSON if they were asked for in binary."""

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
