"""Trains a model with other seeds: `python -m training.repeat NAME [--data DIR]`."""

import json
import statistics
from pathlib import Path

from mnist_cli.compiler import compile_model
from training.command import run
from training.data import Digits, load_test
from training.publish import evaluate
from training.recipes.models import repeated_runs
from training.runs import RUNS, SAVED_MODELS, complete_file
from training.train import train


def repeat(name: str, data: Path | None) -> None:
    """Add `runs`, `mean_accuracy` and `sd_accuracy` to the `statistics.json` of a published model.

    Each run is compiled like the published model, and reads the test set once. The standard
    deviation is that of a sample.
    """
    runs = repeated_runs(name)
    for repeated in runs:
        train(repeated, data)
    test = load_test(data)
    file = SAVED_MODELS / name / "statistics.json"
    published = json.loads(file.read_text())
    accuracies = [
        published["accuracy"],
        *(_test_accuracy(RUNS / repeated, test) for repeated in runs),
    ]
    published |= {
        "runs": len(accuracies),
        "mean_accuracy": round(statistics.mean(accuracies), 6),
        "sd_accuracy": round(statistics.stdev(accuracies), 6),
    }
    with complete_file(file) as new:
        new.write_text(json.dumps(published, indent=2) + "\n")
    print(f"{name}: {json.dumps(published)}")


def _test_accuracy(folder: Path, test: Digits) -> float:
    """Return the accuracy of a run, from its folder if it was tested before."""
    file = folder / "test.json"
    if not file.exists():
        export = folder / "export"
        compile_model(export, export / "assets.extra", "int8")
        with complete_file(file) as new:
            new.write_text(json.dumps(evaluate(export, test)) + "\n")
    accuracy: float = json.loads(file.read_text())["accuracy"]
    return accuracy


if __name__ == "__main__":
    run("Train a published model with other seeds, and add their accuracy to it.", repeat)
