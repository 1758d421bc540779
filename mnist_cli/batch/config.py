"""How the files of a batch are read: model, runtime and preprocessing."""

from dataclasses import dataclass
from pathlib import Path

from mnist_cli.batch.annotations import Annotations
from mnist_cli.option_types import InputConvention, Preprocess, RuntimeChoice


@dataclass(frozen=True)
class ReaderConfig:
    """The settings of a `Reader`, which can run in another process or on another machine."""

    model: str
    """A name or a path."""
    model_dir: Path | None
    runtime: RuntimeChoice
    input: InputConvention | None
    preprocess: Preprocess
    scores: bool
    multi: bool = False
    """Whether to read all digits of each picture."""
    annotations: Annotations | None = None
    """Where annotated pictures are written, if anywhere."""
