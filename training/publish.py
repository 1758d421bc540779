"""Make a model folder of a finished training: `python -m training.publish NAME [--data DIR]`.

Exports the weights, compiles the export, and reads the test set, once, through the code that users
run. Only a folder that got through all of it takes the place of the old one.
"""

import json
import shutil
from pathlib import Path

from mnist_cli.compiler import compile_model
from mnist_cli.loader import load_model
from training.command import run
from training.data import Digits, as_input, load_test
from training.evaluate import accuracy, calibration_error
from training.graph.inference import InferenceGraph
from training.graph.networks import NETWORKS
from training.runs import RUNS, load_run

SAVED_MODELS = Path(__file__).parents[1] / "saved_models"


def publish(name: str, data: Path | None) -> None:
    """Write `saved_models/NAME`: SavedModel, compiled model and `statistics.json`."""
    test = load_test(data)
    finished = RUNS / name
    weights, facts = load_run(finished)
    # Not yet among the models: what fails half-way must not be found there by its name.
    folder = finished / "export"
    shutil.rmtree(folder, ignore_errors=True)

    graph = InferenceGraph(NETWORKS[name])
    graph.load(weights)
    graph.save(folder)
    compile_model(folder, folder / "assets.extra")
    statistics = {**figures(folder, test), **facts, "parameters": graph.parameters}
    (folder / "statistics.json").write_text(json.dumps(statistics, indent=2) + "\n")
    replace(SAVED_MODELS / name, folder, finished / "replaced")
    print(f"{name}: {json.dumps(statistics)}")


def figures(folder: Path, test: Digits) -> dict[str, float]:
    """Let the product read the test images with this model."""
    scores = load_model(str(folder)).predict_proba(as_input(test.images))
    return {
        "accuracy": accuracy(scores, test.labels),
        "ece": calibration_error(scores, test.labels),
    }


def replace(model: Path, new: Path, old: Path) -> None:
    """Rename a finished folder into the place of the model; the one before it goes."""
    shutil.rmtree(old, ignore_errors=True)
    model.parent.mkdir(exist_ok=True)
    if model.exists():
        model.rename(old)
    new.rename(model)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    run("Export, compile and test a trained model.", publish)
