"""Trains the teachers and the baselines."""

import json
from functools import partial
from pathlib import Path

import keras

from training.augmented_dataset import open_augmented_dataset
from training.cache_key import dataset_key
from training.committee.networks import NETWORKS
from training.data import load_comparison
from training.keras.fit import train_network
from training.keras.networks import k_cnn
from training.recipes.committee import BASELINES, DATASET_SEED, TEACHERS
from training.runs import RUNS, complete_file

FOLDER = RUNS / "committee"
WEIGHTS = "trained.weights.h5"


def train(data: Path | None) -> None:
    """Train all networks one after the other, from where an earlier call was interrupted.

    Raises:
        OSError: a network was trained with another recipe or other data.
    """
    training, held_out = load_comparison(data)
    members = TEACHERS | BASELINES
    key = json.dumps(dataset_key(training))
    for name, recipe in members.items():
        _claim_folder(FOLDER / name, f"{recipe}\n{DATASET_SEED}\n{key}\n")
    dataset = open_augmented_dataset(training, "committee-", DATASET_SEED)
    for name, recipe in members.items():
        folder = FOLDER / name
        if not (folder / WEIGHTS).exists():
            print(f"training {name}", flush=True)
            is_teacher = name in TEACHERS
            build = partial(build_network, name, "mixed_bfloat16" if is_teacher else "float32")
            model = train_network(build, recipe, dataset, held_out, folder, use_ema=is_teacher)
            with complete_file(folder / WEIGHTS) as file:
                model.save_weights(file)


def load_trained(name: str) -> keras.Model:
    """Return a trained teacher or baseline, in float32.

    Raises:
        OSError: it is not trained yet.
    """
    file = FOLDER / name / WEIGHTS
    if not file.exists():
        raise OSError(f"{name} is not trained yet; run `python -m training.committee train`")
    model = build_network(name, "float32", keep_prob=1.0)
    model.load_weights(file)
    return model


def build_network(name: str, policy: str, keep_prob: float) -> keras.Model:
    """Build a teacher or baseline that computes in "float32" or "mixed_bfloat16"."""
    network = NETWORKS.get(name, k_cnn)
    keras.mixed_precision.set_global_policy(policy)
    try:
        return network(keep_prob)
    finally:
        keras.mixed_precision.set_global_policy("float32")


def _claim_folder(folder: Path, recipe: str) -> None:
    """Record what is trained in a folder: hours of training are never discarded silently."""
    file = folder / "recipe.txt"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text(recipe)
    elif file.read_text() != recipe:
        raise OSError(
            f"{folder}: trained with another recipe, other data or other preprocessing; check out "
            "the commit that it was started with, or move the folder away"
        )
