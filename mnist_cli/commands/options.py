"""Defines the options that several commands share."""

import functools
import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from mnist_cli import option_types
from mnist_cli.errors import UsageError
from mnist_cli.option_types import InputConvention, Preprocess, RuntimeChoice


def complete_model(incomplete: str) -> list[str]:
    from mnist_cli.loader import find_models

    model_dir = os.environ.get("MNIST_MODEL_DIR")
    models = find_models(Path(model_dir) if model_dir else None)
    return [model.name for model in models if model.name.startswith(incomplete)]


def percent(text: str) -> float:
    """Parse the value of an option in percent."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100:
        raise typer.BadParameter("must be a number between 0 and 100")
    return value


def expand_wildcards(paths: list[str]) -> list[str]:
    """Return the paths that match patterns such as `*.png`, which shells of Windows do not expand.

    A pattern without matches stays, and so do brackets, which are part of a name there.
    """
    if sys.platform != "win32":
        return paths
    import glob

    expanded = []
    for path in paths:
        found = glob.glob(path.replace("[", "[[]"))  # noqa: PTH207 - `Path.glob` changes the names
        expanded += sorted(found) or [path]
    return expanded


def check_multi(multi: bool, preprocess: Preprocess) -> None:
    """Check that the detector, which finds the digits for `--multi`, is not switched off."""
    if multi and preprocess == "plain":
        raise UsageError("--preprocess: plain cannot be used with --multi")


MODEL_HELP = "Name of a model, or path of a SavedModel folder or a .keras, .h5 or .tflite file."
_FORMAT_HELP = "Output format; json and jsonl both write one object per line."
RECORD_FORMAT_HELP = (
    f"{_FORMAT_HELP}  [default: by the suffix of --output, else json; text on a terminal]"
)

Model = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help=MODEL_HELP,
        envvar="MNIST_MODEL",
        autocompletion=complete_model,
    ),
]
ModelArgument = Annotated[
    str | None,
    typer.Argument(metavar="[MODEL]", help=MODEL_HELP, autocompletion=complete_model),
]
ModelDir = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder of models to choose from by name.  [default: the models shipped with mnist]",
        envvar="MNIST_MODEL_DIR",
        show_default=False,
    ),
]
CardFormat = Annotated[
    option_types.CardFormat | None,
    typer.Option(help=f"{_FORMAT_HELP}  [default: text on a terminal, else json]"),
]
Runtime = Annotated[
    RuntimeChoice,
    typer.Option(help="Runtime to use; auto is LiteRT for compiled models, else TensorFlow."),
]
Input = Annotated[
    InputConvention | None,
    typer.Option(
        metavar="VALUES",
        help="Values of background and foreground that the model expects: 0..1, 0..255, 1..0, "
        "255..0, -1..1 or standardized; with -transposed after it, rows and columns are exchanged."
        "  [default: measured with 100 digits when the model is first used]",
        show_default=False,
    ),
]
Preprocessing = Annotated[
    Preprocess,
    typer.Option(help="auto finds the digit and normalizes it as in MNIST; plain only resizes."),
]
output_option = functools.partial(typer.Option, "--output", "-o", metavar="FILE")
"""The option of a command that can write to a file, without its help."""
Multi = Annotated[
    bool, typer.Option("--multi", help="Read all digits of each picture, in reading order.")
]
Scores = Annotated[
    bool, typer.Option("--scores", help="Include the probabilities of all ten digits.")
]
