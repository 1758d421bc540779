"""The command line that every step of the training shares."""

import argparse
from collections.abc import Callable
from pathlib import Path

from mnist_cli.errors import MnistError
from training.recipes import RECIPES

Step = Callable[[str, Path | None], None]
"""What is done with a model's name and the folder of the data."""


def run(description: str, *steps: Step) -> None:
    """Read NAME and --data from the command line and take the steps one after the other."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("name", choices=sorted(RECIPES), help="the model")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the folder of the four IDX files (.gz); without it Keras downloads MNIST",
    )
    given = parser.parse_args()
    try:
        for step in steps:
            step(given.name, given.data)
    except (MnistError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("interrupted: the same command goes on after the last epoch") from None
