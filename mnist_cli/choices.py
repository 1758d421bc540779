"""What a user can choose among; apart from the modules that do it, which are slow to import."""

from typing import Literal

DEFAULT_MODEL = "t_cnn"

Format = Literal["text", "json", "csv"]
Preprocess = Literal["auto", "plain"]
RuntimeChoice = Literal["auto", "litert", "tensorflow"]
