"""A pool of training images, made once and shared by the trainings of all six models.

Each copy has every image of MNIST, distorted in another way, and behind them synthetic pictures. To
distort an epoch of images takes as long as to train a dense network with them, and to make its
synthetic pictures takes longer still. Both are made once and kept; the
estimators, whose environment has no OpenCV, find them there.
"""

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_cli.evaluation import as_input
from training.data import Batch, Digits, Images, Labels
from training.recipes import DATASET, Augmentation, Recipe
from training.runs import RUNS

CACHE_DIR = RUNS / "augmented_dataset"
CHUNK_IMAGES = 1_000  # `distort` takes no more than 1,023 images at once

Targets = NDArray[np.float32]
"""float32 [N, 10], each row sums to 1: what the network should answer."""


TARGET_PROBABILITIES = np.vstack([np.eye(10), np.full((1, 10), 0.1)]).astype(np.float32)
"""What to answer to each digit, and last, at -1, to what is none."""


@dataclass(frozen=True)
class AugmentedDataset:
    """Copies of the training images, each copy distorted in another way."""

    images: NDArray[np.uint8]
    """uint8 [copies, N, 28, 28], mapped from its file: MNIST first, then synthetic pictures."""
    labels: Labels
    """int64 [copies, N], -1 for no digit."""

    def steps_per_epoch(self, recipe: Recipe) -> int:
        """The batches of an epoch, full ones only: the few images left over differ each time."""
        return int(self.images.shape[1]) // recipe.batch_size

    def batches(self, epoch: int, recipe: Recipe) -> Iterator[tuple[Batch, Targets]]:
        """Yield the batches of an epoch, counted from 0: every image of a copy, in random order.

        The last epoch takes the last copy, the one before it the last but one, and so on in a
        circle. It depends on nothing that happened before, so a training can be resumed.
        """
        copy = (epoch - recipe.epochs) % len(self.images)
        images, targets = np.array(self.images[copy]), TARGET_PROBABILITIES[self.labels[copy]]
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(images))
        for index in range(self.steps_per_epoch(recipe)):
            chosen = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
            yield as_input(images[chosen]), targets[chosen]


def open_augmented_dataset(training: Digits) -> AugmentedDataset:
    """Return the pool; what is missing, or was made of something else, is made first."""
    synthetic = open_synthetic(
        "synthetic",
        training,
        (DATASET.synthetic_sets, DATASET.synthetic_images),
        DATASET.seed,
    )
    copies = np.arange(DATASET.augmented_copies) % DATASET.synthetic_sets
    shape = (
        DATASET.augmented_copies,
        len(training.images) + DATASET.synthetic_images,
        *training.images.shape[1:],
    )

    def augmented_copy(copy: int) -> Images:
        return _augment(np.concatenate([training.images, synthetic.images[copies[copy]]]), copy)

    images = _cached_array("images", _key(training), np.uint8, shape, augmented_copy)
    labels = np.array([np.append(training.labels, synthetic.labels[copy]) for copy in copies])
    return AugmentedDataset(images, labels)


def open_synthetic(name: str, digits: Digits, shape: tuple[int, int], seed: int) -> Digits:
    """Return synthetic pictures, uint8 [*shape, 28, 28] and int64 [*shape], -1 for none.

    What is missing, or was made of something else, is made first: `digits` are the handwriting.
    """
    images, labels = CACHE_DIR / f"{name}.npy", CACHE_DIR / f"{name}-labels.npy"
    key = _key(digits) | {"shape": [*shape], "seed": seed}
    if not _is_cached(name, key):
        # Imported here: the environment of the estimators has neither OpenCV nor Pillow.
        from training.synthetic.generate import make_images

        made = make_images(digits, math.prod(shape), seed)
        np.save(images, made.images.reshape(*shape, *digits.images.shape[1:]))
        np.save(labels, made.labels.reshape(shape))
        _key_file(name).write_text(json.dumps(key))
    return Digits(np.load(images), np.load(labels))


def _key(digits: Digits) -> dict[str, Any]:
    """What the arrays are made of."""
    digest = hashlib.sha256(digits.images.tobytes()).hexdigest()
    return {"recipe": repr(DATASET), "images": digest}


def _augment(images: Images, copy: int) -> Images:
    from training.augment import distort  # imported here for the same reason

    rng = np.random.default_rng([DATASET.seed, copy])
    strength = Augmentation(
        *(DATASET.augmentation_strength(copy) * value for value in DATASET.augmentation)
    )
    parts = range(0, len(images), CHUNK_IMAGES)
    return np.concatenate([distort(images[i : i + CHUNK_IMAGES], strength, rng) for i in parts])


def _cached_array(
    name: str,
    key: dict[str, Any],
    dtype: DTypeLike,
    shape: tuple[int, ...],
    make: Callable[[int], NDArray[Any]],
) -> NDArray[Any]:
    """Return an array from its file; without the file, or with another key, make it, copy by copy.

    The file gets its name, and its key, when it is whole.
    """
    file = CACHE_DIR / f"{name}.npy"
    if not _is_cached(name, key):
        array = np.lib.format.open_memmap(file, "w+", dtype, shape)
        # All of it now: on a full disk, a page that is written later would kill the process.
        with file.open("r+b") as whole:
            os.posix_fallocate(whole.fileno(), 0, file.stat().st_size)
        with ThreadPoolExecutor() as threads:
            for copy, values in enumerate(threads.map(make, range(len(array)))):
                array[copy] = values
        array.flush()
        _key_file(name).write_text(json.dumps(key))
    kept: NDArray[Any] = np.load(file, mmap_mode="r")
    return kept


def _is_cached(name: str, key: dict[str, Any]) -> bool:
    """Whether an array is there and was made of the same; if not, it is about to be made."""
    note = _key_file(name)
    if note.exists() and json.loads(note.read_text()) == key:
        return True
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    note.unlink(missing_ok=True)
    print(f"making {name} in {CACHE_DIR}", flush=True)
    return False


def _key_file(name: str) -> Path:
    """The file that tells what an array was made of."""
    return CACHE_DIR / f"{name}.json"
