"""The augmented data set that all models are trained on, cached in `training/runs`."""

import json
import math
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.cache_key import dataset_key
from training.data import Batch, Digits, Images, Labels, as_input
from training.recipes.dataset import DATASET
from training.recipes.models import Recipe
from training.runs import RUNS

CACHE_DIR = RUNS / "augmented_dataset"

CHUNK_IMAGES = 1_000
"""Images per call of `distort`, which takes at most 1,023."""

Targets = NDArray[np.float32]
"""float32 [N, 10], probabilities that the model is trained to return."""

TARGET_PROBABILITIES = np.vstack([np.eye(10), np.full((1, 10), 0.1)]).astype(np.float32)
"""By label; the last row, which is also row -1, is for images without a digit."""


@dataclass(frozen=True)
class AugmentedDataset:
    """Copies of the MNIST training images, differently distorted, each with synthetic images.

    They are cached because augmentation takes as long as the training of a dense network, and the
    synthetic images take longer. The environment of the estimators can only read the cache.
    """

    images: NDArray[np.uint8]
    """uint8 [copies, N, 28, 28], memory-mapped: MNIST images, then synthetic ones."""
    labels: Labels
    """int64 [copies, N], -1 for no digit."""
    key: dict[str, Any]
    """What the data set was made of."""

    def steps_per_epoch(self, recipe: Recipe) -> int:
        """Return the number of full batches; the rest, which differs each time, is dropped."""
        return int(self.images.shape[1]) // recipe.batch_size

    def batches(self, epoch: int, recipe: Recipe) -> Iterator[tuple[Batch, Targets]]:
        """Yield the batches of an epoch, counted from 0: one copy in random order.

        The last epoch takes the last copy, the epoch before it the last but one, and so on; the
        copies repeat if there are more epochs. The order depends only on seed and epoch, so that
        training can be resumed.
        """
        copy = (epoch - recipe.epochs) % len(self.images)
        images, targets = np.array(self.images[copy]), TARGET_PROBABILITIES[self.labels[copy]]
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(images))
        for index in range(self.steps_per_epoch(recipe)):
            batch = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
            yield as_input(images[batch]), targets[batch]


def open_augmented_dataset(
    training: Digits, prefix: str = "", seed: int | None = None
) -> AugmentedDataset:
    """Return the data set from the cache, after making what is missing or out of date.

    Args:
        training: the MNIST images.
        prefix: of the files in the cache.
        seed: of the random generator; by default that of the recipe.
    """
    seed = DATASET.seed if seed is None else seed
    sets = (DATASET.synthetic_sets, DATASET.synthetic_images)
    synthetic = open_synthetic(f"{prefix}synthetic", training, sets, seed)
    copies = [copy % DATASET.synthetic_sets for copy in range(DATASET.augmented_copies)]
    labels = np.array([np.append(training.labels, synthetic.labels[copy]) for copy in copies])
    key = dataset_key(training) | {"seed": seed}
    name = f"{prefix}images"
    if not _is_cached(name, key):

        def augmented(copy: int) -> Images:
            images = np.concatenate([training.images, synthetic.images[copies[copy]]])
            return _augment(images, copy, seed)

        shape = (*labels.shape, *training.images.shape[1:])
        array = np.lib.format.open_memmap(_array_file(name), "w+", np.uint8, shape)
        # Allocate all of it now: on a full disk, writing to a mapped page kills the process.
        with _array_file(name).open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, _array_file(name).stat().st_size)
        with ThreadPoolExecutor() as threads:
            for copy, images in enumerate(threads.map(augmented, range(len(copies)))):
                array[copy] = images
        array.flush()
        _mark_cached(name, key)
    return AugmentedDataset(np.load(_array_file(name), mmap_mode="r"), labels, key)


def open_synthetic(name: str, digits: Digits, shape: tuple[int, int], seed: int) -> Digits:
    """Return synthetic images from the cache, after making them if missing or out of date.

    Args:
        name: of the files in the cache.
        digits: the MNIST digits that are used as handwriting.
        shape: sets and images per set.
        seed: of the random generator.

    Returns:
        uint8 [*shape, 28, 28] and int64 [*shape], -1 for no digit.
    """
    key = dataset_key(digits) | {"shape": [*shape], "seed": seed}
    if not _is_cached(name, key):
        # Imported here: the environment of the estimators lacks OpenCV and Pillow.
        from training.synthetic.generate import make_images

        made = make_images(digits, math.prod(shape), seed)
        np.save(_array_file(name), made.images.reshape(*shape, *digits.images.shape[1:]))
        np.save(_array_file(f"{name}-labels"), made.labels.reshape(shape))
        _mark_cached(name, key)
    return Digits(np.load(_array_file(name)), np.load(_array_file(f"{name}-labels")))


def _augment(images: Images, copy: int, seed: int) -> Images:
    from training.augment import distort  # imported here for the same reason

    rng = np.random.default_rng([seed, copy])
    augmentation = DATASET.augmentation.scaled(DATASET.augmentation_strength(copy))
    chunks = [images[i : i + CHUNK_IMAGES] for i in range(0, len(images), CHUNK_IMAGES)]
    return np.concatenate([distort(chunk, augmentation, rng) for chunk in chunks])


def _array_file(name: str) -> Path:
    return CACHE_DIR / f"{name}.npy"


def _key_file(name: str) -> Path:
    """Return the file of an array's key, which is written after the array is complete."""
    return CACHE_DIR / f"{name}.json"


def _is_cached(name: str, key: dict[str, Any]) -> bool:
    """Return whether an array is cached under this key; if not, announce that it will be made."""
    file = _key_file(name)
    if file.exists() and json.loads(file.read_text()) == key:
        return True
    CACHE_DIR.mkdir(parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    print(f"making {name} in {CACHE_DIR}", flush=True)
    return False


def _mark_cached(name: str, key: dict[str, Any]) -> None:
    _key_file(name).write_text(json.dumps(key))
