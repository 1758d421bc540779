"""Defines the public records of commands, files and HTTP responses.

JSON, the columns of CSV and Parquet, and the schemas of the OpenAPI document derive from these
types. A dictionary in `Annotated` contains JSON Schema keywords. Future versions may add fields but
will not remove or rename any.
"""

from collections.abc import Sequence
from types import NoneType
from typing import (
    Annotated,
    Any,
    Literal,
    TypeAlias,
    TypedDict,
    final,
    get_args,
    get_type_hints,
)

from mnist_cli.option_types import InputConvention
from mnist_cli.signature import Signature

Fraction: TypeAlias = Annotated[float, {"minimum": 0, "maximum": 1}]
Pixel: TypeAlias = Annotated[int, {"minimum": 0, "maximum": 255}]
PixelRow: TypeAlias = Annotated[list[Pixel], {"minItems": 28, "maxItems": 28}]
ModelName: TypeAlias = Annotated[str, {"description": "The model that made the prediction."}]


class OptionalFields(TypedDict, total=False):
    scores: Annotated[
        Sequence[Fraction],
        {
            "minItems": 10,
            "maxItems": 10,
            "description": "The probabilities of the digits 0 to 9; they sum to 1.",
        },
    ]
    uncertain: Annotated[
        Literal[True],
        {
            "description": "Present, and true, if the digitness is lower than that of 99 % of MNIST"
            " or the probability is below `--min-probability`."
        },
    ]
    image: Annotated[
        list[PixelRow],
        {
            "minItems": 28,
            "maxItems": 28,
            "description": "With `image=1`: the 28x28 pixels that the model reads, from 0 for black"
            " ink to 255 for white paper.",
        },
    ]


class _DigitFields(OptionalFields):
    prediction: Annotated[int, {"minimum": 0, "maximum": 9, "description": "The digit."}]
    probability: Annotated[
        float,
        {"minimum": 0, "maximum": 100, "description": "Probability of that digit, in percent."},
    ]
    digitness: Annotated[
        float,
        {
            "minimum": 0,
            "maximum": 1,
            "description": "Confidence that the picture shows exactly one digit, from 0 to 1.",
        },
    ]
    box: Annotated[
        list[Annotated[int, {"minimum": 0}]],
        {
            "minItems": 4,
            "maxItems": 4,
            "description": "Bounding box of the digit: left edge, top edge, width and height in "
            "pixels, after the EXIF orientation is applied.",
        },
    ]


class PredictionRecord(_DigitFields):
    """The digit in a picture."""

    model: ModelName


class DigitRecord(_DigitFields):
    """One of several digits in a picture."""


class _NumberFields(TypedDict, total=False):
    probability: Annotated[
        float,
        {
            "minimum": 0,
            "maximum": 100,
            "description": "The product of the digits' probabilities, in percent; absent if there "
            "are no digits.",
        },
    ]
    uncertain: Annotated[
        Literal[True], {"description": "Present, and true, if a digit is uncertain."}
    ]


class DigitsRecord(_NumberFields):
    """All digits of a picture, in reading order."""

    text: Annotated[
        str, {"description": "The digits, one line of text for each line in the picture."}
    ]
    digits: list[DigitRecord]
    model: ModelName


class ErrorRecord(TypedDict):
    """The response to a request that failed."""

    error: Annotated[str, {"description": "What was wrong, and where."}]


@final
class FilePrediction(PredictionRecord):
    """The digit in a picture file; written by commands."""

    file: str


@final
class FileDigits(DigitsRecord):
    """All digits of a picture file; written by commands."""

    file: str


@final
class FileError(TypedDict):
    """A picture file that could not be read."""

    file: str
    error: str


FileRecord: TypeAlias = FilePrediction | FileDigits | FileError


class _OptionalScores(TypedDict, total=False):
    scores: Sequence[Fraction] | None


@final
class BatchRecord(_OptionalScores):
    """A picture file of a batch.

    Every record of a batch has the same fields, so that data frames get the same columns; a field
    without a value is None. `scores` is in all records or in none.
    """

    file: str
    """In this and in `model`, bytes that are not UTF-8 are replaced by escapes such as `\\xff`."""
    prediction: int | None
    probability: float | None
    model: str | None
    uncertain: Literal[True] | None
    error: str | None
    digitness: float | None
    box: list[int] | None


@final
class BatchNumber(TypedDict):
    """All digits of a picture file of a batch; a field without a value is None."""

    file: str
    text: str | None
    probability: float | None
    model: str | None
    uncertain: Literal[True] | None
    error: str | None
    digits: list[DigitRecord] | None


AnyBatchRecord: TypeAlias = BatchRecord | BatchNumber

COLUMNS = ("file", "prediction", "probability", "model", "uncertain", "error", "digitness")
"""The columns of CSV and Parquet; followed by the scores if they are requested."""
NUMBER_COLUMNS = ("file", "text", "probability", "model", "uncertain", "error")
"""The columns of CSV and Parquet with `--multi`."""
BATCH_FIELDS = (*COLUMNS, "box")
"""The fields of a `BatchRecord` in JSON; followed by the scores if they are requested."""
NUMBER_FIELDS = (*NUMBER_COLUMNS, "digits")
"""The fields of a `BatchNumber` in JSON."""


class Statistics(TypedDict, total=False):
    """The content of `statistics.json`; models trained elsewhere may have other numbers in it."""

    accuracy: float
    """The fraction of the MNIST test set that is read correctly."""
    ece: float
    """The expected calibration error on the MNIST test set, as a fraction."""
    parameters: int
    epochs: int
    steps: int
    batch_size: int
    runs: int
    """Trainings with different seeds, of which the first is this model."""
    mean_accuracy: float
    """The mean of `accuracy` over the runs."""
    sd_accuracy: float
    """The standard deviation of `accuracy` over the runs."""


Precision: TypeAlias = Literal["float32", "int8"]
"""How a compiled model stores its weights."""


class SelfTest(TypedDict):
    """How a model reads 100 digits of MNIST, and how it was fed; see `mnist_cli.self_test`."""

    input: InputConvention
    classes: list[int]
    """The index of the output of each digit."""
    correct: int
    images: int


class CompiledState(TypedDict, total=False):
    """The state of the compiled model; the other fields are present only if it is `fresh`."""

    state: Literal["fresh", "stale", "damaged", "missing"]
    """`stale`: compiled from another version of the SavedModel."""
    file: str
    compiler: str
    precision: Precision


class ModelSummary(TypedDict):
    """The part of a model card that can be read without TensorFlow."""

    model: str
    path: str
    statistics: Statistics
    fingerprint: str
    compiled: CompiledState
    runtime: str | None
    """None if the model cannot be run; `problem` is the reason."""
    problem: str | None
    sizes: dict[str, int]
    """Bytes on disk."""


class Variable(TypedDict):
    """A variable of a model."""

    name: str
    dtype: str
    shape: list[int]


class GraphDescription(TypedDict):
    """What a SavedModel contains, as TensorFlow reads it."""

    tags: list[str]
    tensorflow: str
    signatures: dict[str, Signature]
    variables: list[Variable]
    parameters: int
    """Elements of all floating-point variables."""
    operations: dict[str, int]
    """The number of nodes in the graph by type of operation."""


class ModelDescription(GraphDescription):
    """The part of a model card that requires TensorFlow; stored with the compiled model."""

    self_test: SelfTest


class ModelCard(ModelSummary, GraphDescription):
    """The full description of a model; shown by `mnist inspect-model`."""

    self_test: SelfTest | None
    """None if the model cannot be run."""


class Mistake(TypedDict):
    """A misread picture."""

    file: str
    digit: int
    prediction: int
    probability: float
    """In percent."""


class EvaluationRecord(TypedDict):
    """The metrics of a model on labelled pictures, as fractions."""

    model: str
    data: str
    images: int
    accuracy: float
    ece: float
    recall: list[float | None]
    """For each digit; None if the data contains no picture of it."""
    confusion: list[list[int]]
    """[10, 10]: the number of pictures by digit (row) and prediction (column)."""
    mistakes: list[Mistake]
    """The most confident mistakes."""
    no_digit: list[str]
    """The files in which no digit was found; they count as misread, except in `ece`."""


def column_types() -> dict[str, Any]:
    """Return the Python type of each column and of `scores`, leaving out None."""
    hints = get_type_hints(BatchNumber) | get_type_hints(BatchRecord)
    return {name: _without_none(hints[name]) for name in {*COLUMNS, *NUMBER_COLUMNS, "scores"}}


def _without_none(hint: Any) -> Any:
    options = get_args(hint)
    return options[0] if NoneType in options else hint
