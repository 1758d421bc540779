"""Read pictures "from the real world" with all models, in both modes, and count.

    python -m benchmarks.robustness --data DIR

It runs in the environment of the training, from the root of the repository.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.robustness.figures import summary
from benchmarks.robustness.inputs import FAMILIES, MODES, digits_of, frame_all
from benchmarks.robustness.sheets import save_sheet
from benchmarks.robustness.table import table
from mnist_cli.errors import MnistError
from mnist_cli.loader import find_models, load_model


def main() -> None:
    """Draw the pictures, let the models read them, print the figures."""
    arguments = _arguments()
    if arguments.sheet:
        digits = digits_of(arguments.data, arguments.part)
        for family in FAMILIES:
            save_sheet(family, digits, arguments.sheet)
    names = arguments.model or [model.name for model in find_models()]
    models = [load_model(name) for name in names]
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("drawing and framing", total=len(FAMILIES))
        inputs = frame_all(
            arguments.data, arguments.part, arguments.count, lambda: progress.advance(task)
        )
    results = {
        mode: {
            model.name: summary(model, [given for given in inputs if given.mode == mode])
            for model in models
        }
        for mode in MODES
    }
    if arguments.json:
        print(json.dumps({"part": arguments.part, "count": arguments.count, "results": results}))
    else:
        Console().print(*(table(mode, models) for mode, models in results.items()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.robustness",
        description="Accuracy on pictures from the real world, by family, mode and model.",
    )
    parser.add_argument("--data", type=Path, required=True, help="the folder of MNIST's IDX files")
    parser.add_argument(
        "--part",
        choices=["validation", "test"],
        default="validation",
        help="whose handwriting: that of the last 5,000 training images (default), or of the test "
        "images, for the final table only",
    )
    parser.add_argument("--model", action="append", help="a name or a path; all six by default")
    parser.add_argument("--count", type=int, default=300, help="pictures in each family")
    parser.add_argument("--json", action="store_true", help="print the figures for machines")
    parser.add_argument("--sheet", type=Path, help="write a sheet of each family into this folder")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (MnistError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
