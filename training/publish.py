"""Makes a model folder of a finished training: `python -m training.publish NAME [--data DIR]`."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np

from mnist_cli.compiler import compile_model
from mnist_cli.errors import ModelError
from mnist_cli.evaluation import accuracy, calibration_error
from mnist_cli.loader import load_model
from mnist_cli.reshape import to_model_input
from training.augmented_dataset import open_synthetic
from training.calibrate import fit_calibration
from training.command import run
from training.data import Digits, as_input, load_test, load_training
from training.learning_curves import plot_learning_curves
from training.recipes.models import CALIBRATION, COMPILATION
from training.runs import RUNS, SAVED_MODELS

LEARNING_CURVES = SAVED_MODELS.parent / "docs" / "learning_curves"


def publish(name: str, data: Path | None) -> None:
    """Write `saved_models/NAME`: SavedModel, compiled model, calibration and `statistics.json`.

    Without a finished training, the published SavedModel is compiled, calibrated and tested again.
    The test set is read once. The old model is replaced only if everything succeeds.
    """
    test = load_test(data)
    run_folder = RUNS / name
    # Not in saved_models yet: an incomplete model must not be found by its name.
    folder = run_folder / "export"
    if folder.exists():
        training_statistics = json.loads((run_folder / "training_statistics.json").read_text())
        plot_learning_curves(name, run_folder / "log.csv", LEARNING_CURVES / f"{name}.png")
    elif (published := SAVED_MODELS / name).exists():
        statistics = json.loads((published / "statistics.json").read_text())
        training_statistics = {
            name: value
            for name, value in statistics.items()
            if name not in ("accuracy", "ece", "parameters")
        }
        shutil.copytree(published, folder)
    else:
        raise ModelError(f"{folder}: nothing to publish; train {name} first")
    validation = load_training(data)[1]
    compile_model(folder, folder / "assets.extra", "int8")
    check_precision(folder, validation)
    calibrate(folder, validation)
    model_info = json.loads((folder / "assets.extra" / "model.json").read_text())
    statistics = {
        **evaluate(folder, test),
        **training_statistics,
        "parameters": model_info["parameters"],
    }
    (folder / "statistics.json").write_text(json.dumps(statistics, indent=2) + "\n")
    replace_model(SAVED_MODELS / name, folder, run_folder / "replaced")
    print(f"{name}: {json.dumps(statistics)}")


def check_precision(folder: Path, validation: Digits) -> None:
    """Compare the compiled model with the SavedModel on the MNIST validation images.

    Raises:
        ModelError: too many predictions differ, or the accuracy falls too far.
    """
    batch = as_input(validation.images)
    exact, compiled = (
        load_model(str(folder), runtime=runtime).predict_proba(batch).argmax(axis=1)
        for runtime in ("tensorflow", "litert")
    )
    changed = int((exact != compiled).sum())
    lost = int((exact == validation.labels).sum() - (compiled == validation.labels).sum())
    print(f"{folder}: 8-bit weights change {changed} predictions, {lost} images are lost")
    if changed > COMPILATION.max_changed or lost > COMPILATION.max_lost:
        raise ModelError(
            f"{folder}: 8-bit weights change {changed} of {len(batch)} predictions and lose {lost} "
            f"images; at most {COMPILATION.max_changed} and {COMPILATION.max_lost} are accepted"
        )


def calibrate(folder: Path, validation: Digits) -> None:
    """Write `assets.extra/calibration.json`, fitted on MNIST and synthetic validation digits."""
    file = folder / "assets.extra" / "calibration.json"
    file.unlink(missing_ok=True)
    shape = (1, CALIBRATION.synthetic_images)
    synthetic = open_synthetic("validation", validation, shape, CALIBRATION.seed)
    digits = synthetic.labels >= 0
    mnist = as_input(validation.images)
    mixed = np.concatenate([mnist, as_input(synthetic.images[digits])])
    labels = np.concatenate([validation.labels, synthetic.labels[digits]])
    model = load_model(str(folder), runtime="litert")
    calibration = fit_calibration(model, mnist, mixed, labels)
    file.write_text(json.dumps(dataclasses.asdict(calibration)) + "\n")


def evaluate(folder: Path, test: Digits) -> dict[str, float]:
    """Return accuracy and expected calibration error of the compiled model on the test images.

    The input is rounded as in `mnist evaluate`, so that it shows the same figures.
    """
    batch = to_model_input(255 - test.images)
    scores = load_model(str(folder), runtime="litert").predict_proba(batch)
    return {
        "accuracy": accuracy(scores, test.labels),
        "ece": calibration_error(scores, test.labels),
    }


def replace_model(model: Path, new: Path, backup: Path) -> None:
    """Move a finished folder to the place of a model, or keep the old model if that fails."""
    shutil.rmtree(backup, ignore_errors=True)
    model.parent.mkdir(exist_ok=True)
    if model.exists():
        model.rename(backup)
    try:
        new.rename(model)
    except OSError:
        if backup.exists():
            backup.rename(model)
        raise
    shutil.rmtree(backup, ignore_errors=True)


if __name__ == "__main__":
    run("Compile, calibrate and test a trained model.", publish)
