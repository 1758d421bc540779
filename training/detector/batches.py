"""Batches of training tiles, with changes of colour and position that cost little."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
from numpy.typing import NDArray

from training.detector.dataset import read_shard
from training.detector.fit_recipe import FIT, TARGETS
from training.detector.recipe import SCENES
from training.detector.targets import Targets, encode, normalize
from training.detector.tiles import Tile

Batch = dict[str, NDArray[np.generic]]
"""`pictures`, `foreground` and the fields of `Targets`, each with N rows."""

ROUND_SHARDS = 4
"""Shards that are in memory at once; a round draws from them."""
QUEUE = 6  # batches that are made ahead


def steps_per_round(shard_tiles: int) -> int:
    """Return the steps after which other shards are read."""
    return ROUND_SHARDS * shard_tiles // FIT.batch_size


def batches(
    shards: Callable[[], list[Path]], shard_tiles: int, first: int, last: int
) -> Iterator[Batch]:
    """Yield the batches of the steps first to last - 1; each depends on its number only.

    Args:
        shards: lists the shards at the beginning of each round; while the pool is still being
            made, later rounds see more of it.
        shard_tiles: tiles of a shard.
        first: the number of the first step.
        last: the number after that of the last step.
    """
    length, loaded, shard = steps_per_round(shard_tiles), -1, list[Tile]()
    for step in range(first, last):
        number = step // length
        if number != loaded:
            files = shards()
            chosen = [(number * ROUND_SHARDS + i) % len(files) for i in range(ROUND_SHARDS)]
            shard = [one for index in chosen for one in read_shard(files[index])]
            order = np.random.default_rng([FIT.seed, number]).permutation(len(shard))
            loaded = number
        start = step % length * FIT.batch_size
        rng = np.random.default_rng([FIT.seed, number, step])
        yield batch([shard[i] for i in order[start : start + FIT.batch_size]], rng)


def ahead(made: Iterator[Batch]) -> Iterator[Batch]:
    """Make batches in a thread while the network trains."""
    queue: Queue[Batch | None] = Queue(QUEUE)

    def work() -> None:
        for one in made:
            queue.put(one)
        queue.put(None)

    threading.Thread(target=work, daemon=True).start()
    while (one := queue.get()) is not None:
        yield one


def batch(tiles: list[Tile], rng: np.random.Generator | None) -> Batch:
    """Return tiles as one batch; a generator changes them at random."""
    rows = [_row(one, rng) for one in tiles]
    arrays: Batch = {
        "pictures": np.stack([row[0] for row in rows]),
        "foreground": np.stack([row[1] for row in rows]),
    }
    for name in Targets._fields:
        arrays[name] = np.stack([getattr(row[2], name) for row in rows])
    return arrays


def network_input(one: Tile, rng: np.random.Generator | None = None) -> NDArray[np.float32]:
    """Return a tile as the network takes it, float32 [S, S, 3], recoloured with a generator."""
    picture = np.zeros((SCENES.tile, SCENES.tile, 3), np.float32)
    for top, left, height, width in one.places:
        area = slice(top, top + height), slice(left, left + width)
        scene = normalize(one.pixels[area])
        picture[area] = _recoloured(scene, rng) if rng else scene
    return picture


def _row(
    one: Tile, rng: np.random.Generator | None
) -> tuple[NDArray[np.float32], NDArray[np.uint8], Targets]:
    side, boxes, mask = SCENES.tile, one.boxes.copy(), one.foreground
    picture = network_input(one, rng)
    if rng:
        dx, dy = rng.integers(0, FIT.shift + 1, 2)
        picture = np.pad(picture, ((dy, 0), (dx, 0), (0, 0)))[:side, :side]
        mask = np.pad(mask, ((dy, 0), (dx, 0)))[:side, :side]
        boxes[:, 1:] += (dx, dy, dx, dy)
        boxes[:, 1:] = np.clip(boxes[:, 1:], 0, side)
        boxes = boxes[np.all(boxes[:, 3:] - boxes[:, 1:3] >= 1, axis=1)]
    half = (side // TARGETS.mask_stride, side // TARGETS.mask_stride)
    small = cv2.resize(mask, half, interpolation=cv2.INTER_AREA)
    return picture, np.asarray(small, np.uint8), encode(boxes, side)


def _recoloured(scene: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Negate a normalized scene, make it gray, permute its channels or add noise."""
    if rng.random() < FIT.negated_share:
        scene = -scene
    if rng.random() < FIT.gray_share:
        scene = np.repeat(scene.mean(axis=2, keepdims=True), 3, axis=2)
    elif rng.random() < FIT.shuffled_share:
        scene = scene[..., rng.permutation(3)]
    if rng.random() < FIT.noisy_share:
        noise = rng.standard_normal((*scene.shape[:2], 1), np.float32)
        scene = scene + noise * np.float32(rng.uniform(0, 0.3))
    return scene
