"""Make a model folder of a run_folder training: `python -m training.publish NAME [--data DIR]`.

Compiles what was exported, and reads the test set, once, through the code that users run. Only a
folder that got through all of it takes the place of the old one.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np

from mnist_cli.compiler import compile_model
from mnist_cli.errors import ModelError
from mnist_cli.evaluation import accuracy, as_input, calibration_error
from mnist_cli.loader import load_model
from training.augmented_dataset import open_synthetic
from training.calibrate import fit_calibration
from training.command import run
from training.data import Digits, load_test, load_training
from training.learning_curves import plot_learning_curves
from training.recipes import SYNTHETIC_VALIDATION_IMAGES, SYNTHETIC_VALIDATION_SEED
from training.runs import RUNS, SAVED_MODELS

LEARNING_CURVES = SAVED_MODELS.parent / "docs" / "learning_curves"


def publish(name: str, data: Path | None) -> None:
    """Write `saved_models/NAME`: SavedModel, compiled model and `statistics.json`."""
    test = load_test(data)
    run_folder = RUNS / name
    # Not yet among the models: what fails half-way must not be calibration there by its name.
    folder = run_folder / "export"
    if not folder.exists():
        raise ModelError(f"{folder}: nothing to publish; train {name} first")
    compile_model(folder, folder / "assets.extra")
    calibrate(folder, load_training(data)[1])
    model_info = json.loads((folder / "assets.extra" / "model.json").read_text())
    statistics = {
        **evaluate(folder, test),
        **json.loads((run_folder / "training_statistics.json").read_text()),
        "parameters": model_info["parameters"],
    }
    (folder / "statistics.json").write_text(json.dumps(statistics, indent=2) + "\n")
    plot_learning_curves(name, run_folder / "log.csv", LEARNING_CURVES / f"{name}.png")
    replace_model(SAVED_MODELS / name, folder, run_folder / "replaced")
    print(f"{name}: {json.dumps(statistics)}")


def calibrate(folder: Path, validation: Digits) -> None:
    """Write `assets.extra/calibration.json`, fitted on validation images and synthetic digits."""
    file = folder / "assets.extra" / "calibration.json"
    file.unlink(missing_ok=True)
    synthetic = open_synthetic(
        "validation", validation, (1, SYNTHETIC_VALIDATION_IMAGES), SYNTHETIC_VALIDATION_SEED
    )
    digits = synthetic.labels >= 0
    mnist = as_input(validation.images)
    mixed = np.concatenate([mnist, as_input(synthetic.images[digits])])
    labels = np.concatenate([validation.labels, synthetic.labels[digits]])
    calibration = fit_calibration(load_model(str(folder), runtime="litert"), mnist, mixed, labels)
    file.write_text(json.dumps(dataclasses.asdict(calibration)) + "\n")


def evaluate(folder: Path, test: Digits) -> dict[str, float]:
    """Let the product read the test images with this model."""
    scores = load_model(str(folder), runtime="litert").predict_proba(as_input(test.images))
    return {
        "accuracy": accuracy(scores, test.labels),
        "ece": calibration_error(scores, test.labels),
    }


def replace_model(model: Path, new: Path, old: Path) -> None:
    """Rename a run_folder folder into the place of the model; the one before it goes."""
    shutil.rmtree(old, ignore_errors=True)
    model.parent.mkdir(exist_ok=True)
    if model.exists():
        model.rename(old)
    try:
        new.rename(model)
    except OSError:
        if old.exists():
            old.rename(model)
        raise
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    run("Compile and test a trained model.", publish)
