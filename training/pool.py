"""A pool of distorted training images, made once and shared by the trainings of all six models.

To distort an epoch of images takes as long as to train a dense network with them, and a teacher's
scores take longer still. Both are made once, into `training/runs/pool`; the estimators, whose
environment has neither OpenCV nor LiteRT, find them there.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mnist_cli.evaluation import as_input
from training.data import Batch, Digits, Images, Labels
from training.recipes import POOL, Augmentation, Recipe
from training.runs import RUNS

FOLDER = RUNS / "pool"
CHUNK = 1_000  # `distort` takes no more than 1,023 images at once

Targets = NDArray[np.float32]
"""float32 [N, 10], each row sums to 1: what the network should answer."""


@dataclass(frozen=True)
class Pool:
    """Copies of the training images, each copy distorted in another way."""

    images: NDArray[np.uint8]
    """uint8 [copies, N, 28, 28], mapped from its file."""
    labels: Labels
    """int64 [N], the same for every copy."""
    scores: NDArray[np.float16] | None
    """float16 [copies, N, 10]: the mean of the teachers' answers, where there are any."""

    def epoch(self, epoch: int, recipe: Recipe) -> Iterator[tuple[Batch, Targets]]:
        """Yield the batches of an epoch, counted from 0: every image of a copy, in random order.

        The last epoch takes the last copy, the one before it the last but one, and so on in a
        circle. It depends on nothing that happened before, so a training can be resumed.
        """
        copy = (epoch - recipe.epochs) % len(self.images)
        images = np.array(self.images[copy])
        targets = np.eye(10, dtype=np.float32)[self.labels]
        if self.scores is not None:
            taught = self.scores[copy].astype(np.float32)
            targets = (1 - recipe.trust) * targets + recipe.trust * taught
        order = np.random.default_rng([recipe.seed, epoch]).permutation(len(images))
        for index in range(recipe.steps_per_epoch(len(order))):
            chosen = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
            yield as_input(images[chosen]), targets[chosen]


def open_pool(training: Digits, teachers: Sequence[Path]) -> Pool:
    """Return the pool, scored by the models in these folders, if any.

    What is missing, or was made of something else, is made first.
    """
    key: dict[str, Any] = {
        "recipe": repr(POOL),
        "images": hashlib.sha256(training.images.tobytes()).hexdigest(),
    }
    shape = (POOL.copies, *training.images.shape)
    images = _kept("images", key, np.uint8, shape, lambda copy: _distorted(training.images, copy))
    if not teachers:
        return Pool(images, training.labels, None)
    # Imported here: whoever finds the scores ready needs no runtime of the models.
    from mnist_cli.loader import find_model, load_model

    key["teachers"] = [find_model(str(teacher)).fingerprint for teacher in teachers]
    load = cache(load_model)

    def taught(copy: int) -> NDArray[np.float32]:
        answers = [load(str(teacher)).predict_proba(as_input(images[copy])) for teacher in teachers]
        mean: NDArray[np.float32] = np.mean(answers, axis=0)
        return mean

    scores = _kept("scores", key, np.float16, (*shape[:2], 10), taught)
    return Pool(images, training.labels, scores)


def _distorted(images: Images, copy: int) -> Images:
    from training.augment import distort  # imported here for the same reason

    rng = np.random.default_rng([POOL.seed, copy])
    strength = Augmentation(*(POOL.strength(copy) * value for value in POOL.augmentation))
    parts = range(0, len(images), CHUNK)
    return np.concatenate([distort(images[i : i + CHUNK], strength, rng) for i in parts])


def _kept(
    name: str,
    key: dict[str, Any],
    dtype: DTypeLike,
    shape: tuple[int, ...],
    make: Callable[[int], NDArray[Any]],
) -> NDArray[Any]:
    """Return an array from its file; without the file, or with another key, make it, copy by copy.

    The file gets its name, and its key, when it is whole.
    """
    file, note = FOLDER / f"{name}.npy", FOLDER / f"{name}.json"
    if not (note.exists() and json.loads(note.read_text()) == key):
        FOLDER.mkdir(parents=True, exist_ok=True)
        note.unlink(missing_ok=True)
        print(f"making {file}", flush=True)
        array = np.lib.format.open_memmap(file, "w+", dtype, shape)
        # All of it now: on a full disk, a page that is written later would kill the process.
        with file.open("r+b") as whole:
            os.posix_fallocate(whole.fileno(), 0, file.stat().st_size)
        with ThreadPoolExecutor() as threads:
            for copy, values in enumerate(threads.map(make, range(len(array)))):
                array[copy] = values
        array.flush()
        note.write_text(json.dumps(key))
    kept: NDArray[Any] = np.load(file, mmap_mode="r")
    return kept
