"""Defines the values of command-line options, without slow imports."""

from typing import Literal, get_args

DEFAULT_MODEL = "k_cnn"
MNIST_URL = "https://storage.googleapis.com/cvdf-datasets/mnist"
"""Where the IDX files of MNIST can be downloaded (Common Visual Data Foundation)."""
MNIST_TEST_SET_URL = f"{MNIST_URL}/t10k-{{images-idx3,labels-idx1}}-ubyte.gz"
"""Both files of the test set, as `curl` expands it."""

# `json` and `jsonl` both stand for JSON Lines: one object per line.
CardFormat = Literal["text", "json", "jsonl"]
Format = Literal["text", "json", "jsonl", "csv"]
BatchFormat = Literal["text", "json", "jsonl", "csv", "parquet"]
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
