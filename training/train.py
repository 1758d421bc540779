"""Trains one model: `python -m training.train NAME [--data DIR]`."""

import importlib.util
import itertools
import json
import os
import shutil
import subprocess
from pathlib import Path

from training.augmented_dataset import AugmentedDataset, open_augmented_dataset
from training.command import run
from training.data import Digits, load_training
from training.recipes.models import RECIPES, Recipe, repeated_runs, run_recipe
from training.runs import RUNS

ESTIMATOR_PYTHON = os.environ.get("ESTIMATOR_PYTHON", ".venv-estimator/bin/python")
"""The Python with the packages of `requirements-estimator.txt`, for the family `e_*`."""


def train(name: str, data: Path | None) -> None:
    """Train a model, or resume its training, and export it into its run folder.

    No test image is read, so that recipes can be compared freely.

    Args:
        name: of the model, or of one of its `repeated_runs`.
        data: the folder of MNIST.
    """
    training, validation = load_training(data)
    recipe = run_recipe(name)
    dataset = open_augmented_dataset(training)
    if name.startswith("e_") and not importlib.util.find_spec("tensorflow_estimator"):
        _train_in_estimator_environment(name, data)
        return
    folder = RUNS / name
    _discard_stale_run(folder, f"{recipe}\n{json.dumps(dataset.key)}\n")
    shutil.rmtree(folder / "export", ignore_errors=True)
    _fit(name, recipe, dataset, validation, folder)
    statistics = {"epochs": recipe.epochs}
    if not name.startswith("k_"):
        steps = recipe.epochs * dataset.steps_per_epoch(recipe)
        statistics = {"steps": steps, "batch_size": recipe.batch_size}
    (folder / "training_statistics.json").write_text(json.dumps(statistics) + "\n")


def _fit(
    name: str, recipe: Recipe, dataset: AugmentedDataset, validation: Digits, folder: Path
) -> None:
    # Imported here: TensorFlow takes seconds to load, and no environment has all three families.
    if name.startswith("t_"):
        from training.graph.fit import fit
    elif name.startswith("e_"):
        from training.estimator.fit import fit
    else:
        from training.keras.fit import fit
    fit(name.partition("-")[0], recipe, dataset, validation, folder)


def _train_in_estimator_environment(name: str, data: Path | None) -> None:
    """Run this command in the environment of the estimators, which finds the data set cached."""
    command = [ESTIMATOR_PYTHON, "-m", "training.train", name]
    if data:
        command += ["--data", str(data)]
    try:
        process = subprocess.run(command, check=False)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{ESTIMATOR_PYTHON}: no such Python; see training/README.md or set ESTIMATOR_PYTHON"
        ) from error
    if process.returncode:
        raise SystemExit(process.returncode)


def _discard_stale_run(folder: Path, recipe: str) -> None:
    """Remove the checkpoints of a training with another recipe or other data."""
    file = folder / "recipe.txt"
    if not (file.exists() and file.read_text() == recipe):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        file.write_text(recipe)


if __name__ == "__main__":
    run(
        "Train a model; the validation accuracy is logged after each epoch.",
        train,
        names=[*RECIPES, *itertools.chain(*map(repeated_runs, RECIPES))],
    )
