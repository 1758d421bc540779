"""How the files of a batch are read."""

from dataclasses import dataclass
from pathlib import Path

from mnist_cli.option_types import Preprocess, RuntimeChoice


@dataclass(frozen=True)
class ReaderConfig:
    """What a reader needs to know, wherever it runs."""

    model: str
    model_dir: Path | None
    runtime: RuntimeChoice
    preprocess: Preprocess
    scores: bool
