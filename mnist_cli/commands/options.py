"""Options that several commands share."""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from mnist_cli.option_types import Preprocess, RuntimeChoice


def _complete_model(incomplete: str) -> list[str]:
    from mnist_cli.loader import find_models

    model_dir = os.environ.get("MNIST_MODEL_DIR")
    models = find_models(Path(model_dir) if model_dir else None)
    return [model.name for model in models if model.name.startswith(incomplete)]


MODEL_HELP = "A model's name, or the path of a SavedModel folder."

Model = Annotated[
    str,
    typer.Option(
        "--model", "-m", help=MODEL_HELP, envvar="MNIST_MODEL", autocompletion=_complete_model
    ),
]
ModelArgument = Annotated[
    str | None,
    typer.Argument(metavar="[MODEL]", help=MODEL_HELP, autocompletion=_complete_model),
]
ModelDir = Annotated[
    Path | None,
    typer.Option(
        help="Where models are looked up by name.  [default: those that come with mnist]",
        envvar="MNIST_MODEL_DIR",
        show_default=False,
    ),
]
CardFormat = Annotated[
    Literal["text", "json"] | None,
    typer.Option(help="How to write it.  [default: text to a terminal, else json]"),
]
Runtime = Annotated[
    RuntimeChoice,
    typer.Option(help="The engine: auto takes LiteRT wherever there is a compiled model."),
]
Preprocessing = Annotated[
    Preprocess,
    typer.Option(help="auto frames the digit as in MNIST; plain only resizes the picture."),
]
Scores = Annotated[bool, typer.Option("--scores", help="Give the probabilities of all ten digits.")]
