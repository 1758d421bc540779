"""Defines the values of command-line options, without slow imports."""

from typing import Literal, get_args

DEFAULT_MODEL = "k_cnn"

Format = Literal["text", "json", "csv"]
BatchFormat = Literal["text", "jsonl", "csv", "parquet"]
LogFormat = Literal["text", "json"]
Preprocess = Literal["auto", "plain"]
PREPROCESSES: tuple[Preprocess, ...] = get_args(Preprocess)
RuntimeChoice = Literal["auto", "litert", "tensorflow"]
InputConvention = Literal[
    "0..1",
    "0..255",
    "1..0",
    "255..0",
    "-1..1",
    "standardized",
    "0..1-transposed",
    "0..255-transposed",
    "1..0-transposed",
    "255..0-transposed",
    "-1..1-transposed",
    "standardized-transposed",
]
"""The values of background and foreground that a model expects, and its orientation."""
