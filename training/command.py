"""The command line of all training steps."""

import argparse
from collections.abc import Callable, Collection
from pathlib import Path

from mnist_cli.errors import MnistError
from training.recipes.models import RECIPES

Step = Callable[[str, Path | None], None]
"""Takes NAME, usually that of a model, and the folder of MNIST."""


def run(
    description: str,
    *steps: Step,
    names: Collection[str] = sorted(RECIPES),
    name_help: str = "name of the model",
) -> None:
    """Read NAME and --data from the command line and run the steps in order."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("name", choices=names, help=name_help)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with the four IDX files of MNIST (.gz); by default Keras downloads them",
    )
    arguments = parser.parse_args()
    try:
        for step in steps:
            step(arguments.name, arguments.data)
    except (MnistError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        message = "interrupted: run the same command again to resume after the last full epoch"
        raise SystemExit(message) from None
