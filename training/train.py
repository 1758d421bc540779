"""Train one model: `python -m training.train NAME [--data DIR]`.

The result lies in `training/runs/NAME` until `training.publish` makes a model folder of it. No test
image is read here, so recipes can be tried and compared at will.
"""

import importlib.util
import json
import os
import shutil
import subprocess
from pathlib import Path

from training.augmented_dataset import AugmentedDataset, open_augmented_dataset
from training.command import run
from training.data import Digits, load_training
from training.recipes import DATASET, RECIPES, Recipe
from training.runs import RUNS

ESTIMATOR_PYTHON = os.environ.get("ESTIMATOR_PYTHON", ".venv-estimator/bin/python")
"""The Python of `requirements-estimator.txt`, for the family `e_*`."""


def train(name: str, data: Path | None) -> None:
    """Train a model, or go on where its training was interrupted; export it into its run."""
    training, validation = load_training(data)
    recipe = RECIPES[name]
    dataset = open_augmented_dataset(training)
    if name.startswith("e_") and not importlib.util.find_spec("tensorflow_estimator"):
        _train_in_estimator_environment(name, data)
        return
    folder = RUNS / name
    _discard_stale_run(folder, recipe)
    shutil.rmtree(folder / "export", ignore_errors=True)
    _fit(name, recipe, dataset, validation, folder)
    training_statistics = {"epochs": recipe.epochs}
    if not name.startswith("k_"):
        steps = recipe.epochs * dataset.steps_per_epoch(recipe)
        training_statistics = {"steps": steps, "batch_size": recipe.batch_size}
    (folder / "training_statistics.json").write_text(json.dumps(training_statistics) + "\n")


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
    fit(name, recipe, dataset, validation, folder)


def _train_in_estimator_environment(name: str, data: Path | None) -> None:
    """Train an estimator in its own environment; the data set is there, all else is begun anew."""
    command = [ESTIMATOR_PYTHON, "-m", "training.train", name]
    if data:
        command += ["--data", str(data)]
    try:
        done = subprocess.run(command, check=False)
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{ESTIMATOR_PYTHON}: no such Python; see training/README.md, or set ESTIMATOR_PYTHON"
        ) from error
    if done.returncode:
        raise SystemExit(done.returncode)


def _discard_stale_run(folder: Path, recipe: Recipe) -> None:
    """Remove what a training by another recipe has left: its checkpoints do not fit."""
    note, text = folder / "recipe.txt", f"{recipe}\n{DATASET}\n"
    if not (note.exists() and note.read_text() == text):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        note.write_text(text)


if __name__ == "__main__":
    run("Train a model; judge it on the validation images.", train)
