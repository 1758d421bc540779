"""The pool of training tiles: shards that are made once, each from its own seed."""

import functools
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from rich.progress import track

from training.cache_key import source_digest
from training.data import load_training
from training.detector.backgrounds import Split
from training.detector.fit_recipe import POOL
from training.detector.recipe import SCENES
from training.detector.sources import Sources, open_sources
from training.detector.tiles import Tile, tile
from training.runs import RUNS

FOLDER = RUNS / "detector" / "tiles"
DRAWING_CODE = ("training.detector.tiles", "training.detector.sources")
"""The modules that draw a tile; what they import is found from there."""
NO_BOX = -9
"""The class of the rows of a shard's boxes that are not used."""


def make_pool(data: Path | None, workers: int | None = None) -> None:
    """Make the validation shard and every training shard that is missing.

    Args:
        data: the folder of MNIST's IDX files, or None for Keras' downloader.
        workers: processes; all cores if None.

    Raises:
        InputError: a file of MNIST is missing or damaged.
        OSError: fonts or backgrounds are missing.
    """
    tile_folder().mkdir(parents=True, exist_ok=True)
    wanted: list[tuple[Split, int]] = [("validation", 0)]
    wanted += [("training", number) for number in range(POOL.shards)]
    missing = [shard for shard in wanted if not file_of(*shard).exists()]
    if not missing:
        return
    training, validation = load_training(data)
    sources: dict[Split, Sources] = {
        "training": open_sources("training", training),
        "validation": open_sources("validation", validation),
    }
    context = get_context("spawn")
    with ProcessPoolExecutor(workers or os.cpu_count(), context, _begin, (sources,)) as pool:
        for _ in track(pool.map(_make_shard, missing), "tiles", total=len(missing)):
            pass


@functools.cache
def tile_folder() -> Path:
    """Return the folder of the tiles that the present code and recipe draw.

    Its name has a digest of both, so that nothing is trained on tiles of an older version.
    """
    key = (source_digest(*DRAWING_CODE), POOL.seed, POOL.shard_tiles)
    return FOLDER / hashlib.sha256(repr(key).encode()).hexdigest()[:16]


def file_of(split: Split, number: int) -> Path:
    """Return the file of a shard."""
    return tile_folder() / f"{split}-{number:04d}.npz"


def shards(split: Split) -> list[Path]:
    """Return the shards that are there.

    Raises:
        OSError: there are none.
    """
    found = sorted(tile_folder().glob(f"{split}-*.npz"))
    if not found:
        raise OSError("no tiles: make them with `python -m training.detector tiles`")
    return found


def read_shard(file: Path) -> list[Tile]:
    """Return the tiles of a shard."""
    with np.load(file) as arrays:
        pixels, foreground = arrays["pixels"], arrays["foreground"]
        boxes, places = arrays["boxes"], arrays["places"]
    return [
        Tile(p, f, b[b[:, 0] > NO_BOX], w[w[:, 2] > 0])
        for p, f, b, w in zip(pixels, foreground, boxes, places, strict=True)
    ]


def tiles(split: Split, number: int, count: int, sources: Sources) -> Iterator[Tile]:
    """Yield the tiles of a shard, which depend on nothing but the recipe and the sources."""
    kind = ("training", "validation").index(split)
    for index in range(count):
        yield tile(np.random.default_rng([POOL.seed, kind, number, index]), sources)


def write_shard(file: Path, made: list[Tile]) -> None:
    """Write tiles; the file gets its name when it is whole."""
    boxes = np.full((len(made), SCENES.max_boxes, 5), NO_BOX, np.float32)
    places = np.zeros((len(made), max(len(t.places) for t in made), 4), np.int16)
    for row, one in enumerate(made):
        boxes[row, : len(one.boxes)] = one.boxes
        places[row, : len(one.places)] = one.places
    new = file.with_suffix(".new.npz")
    np.savez(
        new,
        pixels=np.stack([one.pixels for one in made]),
        foreground=np.stack([one.foreground for one in made]),
        boxes=boxes,
        places=places,
    )
    new.replace(file)


_sources: dict[Split, Sources] = {}
"""What a worker process draws from."""


def _begin(sources: dict[Split, Sources]) -> None:
    cv2.setNumThreads(1)  # there is a process for each core
    _sources.update(sources)


def _make_shard(shard: tuple[Split, int]) -> None:
    split, number = shard
    count = POOL.shard_tiles if split == "training" else POOL.validation_tiles
    write_shard(file_of(split, number), list(tiles(split, number, count, _sources[split])))
