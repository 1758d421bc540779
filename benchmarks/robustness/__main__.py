"""Command line of the robustness benchmark.

    python -m benchmarks.robustness --data DIR

Run it from the root of the repository, in the environment of `training/`.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from benchmarks.robustness.answers import Answers, NumberAnswers, read_families
from benchmarks.robustness.catalogue import FAMILIES, load_handwriting
from benchmarks.robustness.figures import summarize
from benchmarks.robustness.sheets import save_sheet
from benchmarks.robustness.table import build_table
from mnist_cli.errors import MnistError
from mnist_cli.loader import find_models, load_model
from mnist_cli.option_types import PREPROCESSES, Preprocess


def main() -> None:
    """Generate the pictures, read them with all models, print the figures."""
    arguments = _arguments()
    names = arguments.model or [model.name for model in find_models()]
    models = [load_model(name) for name in names]
    if arguments.sheet:
        digits = load_handwriting(arguments.data, arguments.split)
        for family in FAMILIES:
            save_sheet(family, digits, arguments.sheet, models[0])
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("reading pictures", total=len(FAMILIES))
        answers = read_families(
            arguments.data, arguments.split, arguments.count, names, lambda: progress.advance(task)
        )
    results = {
        mode: {
            model.name: summarize(
                [
                    family
                    for family in answers
                    if family.model == model.name and _mode(family) == mode
                ]
            )
            for model in models
        }
        for mode in PREPROCESSES
    }
    if arguments.json:
        print(json.dumps({"split": arguments.split, "count": arguments.count, "results": results}))
    else:
        for mode, figures in results.items():
            Console().print(build_table(mode, figures, arguments.markdown))


def _mode(answers: Answers) -> Preprocess:
    """Return the mode of answers; numbers are always read with the detector."""
    return "auto" if isinstance(answers, NumberAnswers) else answers.mode


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.robustness",
        description="Measure accuracy on generated pictures, by family, mode and model.",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with MNIST's IDX files")
    parser.add_argument(
        "--split",
        choices=["validation", "test"],
        default="validation",
        help="handwriting to use: the last 5,000 training images (default) for tuning, or the test "
        "images for final results",
    )
    parser.add_argument(
        "--model", action="append", help="name or path; can be repeated (default: all six models)"
    )
    parser.add_argument("--count", type=int, default=300, help="pictures per family (default: 300)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument(
        "--sheet",
        type=Path,
        help="write a contact sheet of each family, read by the first model, to this folder",
    )
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (MnistError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
