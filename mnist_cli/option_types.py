"""Defines the values of command-line options, without slow imports."""

from typing import Literal, get_args

DEFAULT_MODEL = "k_cnn"

Format = Literal["text", "json", "csv"]
BatchFormat = Literal["text", "jsonl", "csv", "parquet"]
LogFormat = Literal["text", "json"]
Preprocess = Literal["auto", "plain"]
PREPROCESSES: tuple[Preprocess, ...] = get_args(Preprocess)
RuntimeChoice = Literal["auto", "litert", "tensorflow"]
