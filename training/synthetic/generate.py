"""Generates synthetic pictures and preprocesses them as `mnist` does."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from mnist_cli.arrays import Pixels
from mnist_cli.errors import InputError
from mnist_cli.picture import Picture
from mnist_cli.preprocessing import best_crop, crops, looks, prepare
from training.data import NO_DIGIT, Digits, Images, Labels
from training.recipes.synthetic import SYNTHETIC
from training.synthetic.camera import photograph
from training.synthetic.corruptions import corrupt
from training.synthetic.handwritten import draw_handwritten
from training.synthetic.ink import Gray
from training.synthetic.non_digits import draw_non_digit
from training.synthetic.printed import draw_printed
from training.synthetic.row import draw_row, join
from training.synthetic.strokes import draw_digit

SIDE, DIGIT_SIDE = 28, 20
"""Side of an MNIST image and of the digit in it, in pixels."""

CHUNK_IMAGES = 1_000
"""Images per task of a worker process; each chunk has its own seed."""

STDERR = Console(stderr=True)


class Sample(NamedTuple):
    """A picture, the digit it shows, and the ink of the digit."""

    picture: Gray
    ink: Gray | None
    """None for textures, where ink and paper cannot be separated."""
    digit: int
    min_similarity: float = SYNTHETIC.min_similarity
    place: tuple[int, int] | None = None
    """Index of the digit in a row, and the length of the row; None if it is alone."""


def make_images(digits: Digits, count: int, seed: int) -> Digits:
    """Make pictures and preprocess them as `mnist` does, in parallel.

    A picture in which preprocessing does not find the digit is replaced by a new one.

    Args:
        digits: the MNIST digits that are used as handwriting.
        count: how many, N.
        seed: the same seed gives the same images, whatever the number of processors.

    Returns:
        N images, uint8 [N, 28, 28], paper 0, ink 255, and int64 [N]: the digit of each, or -1.

    Raises:
        OSError: no fonts are installed.
    """
    sizes = [min(CHUNK_IMAGES, count - start) for start in range(0, count, CHUNK_IMAGES)]
    # Not forked: forking a process with threads, such as TensorFlow's, can deadlock.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, _init_worker, (digits,)) as executor:
        chunks = [executor.submit(_make_chunk, [seed, n], size) for n, size in enumerate(sizes)]
        made = [chunk.result() for chunk in track(chunks, "synthetic pictures", console=STDERR)]
    images, labels = zip(*made, strict=True)
    return Digits(np.concatenate(images), np.concatenate(labels))


def _draw_sample(digits: Digits, rng: np.random.Generator) -> Sample:
    source = _SOURCES[rng.choice(len(_SOURCES), p=_SOURCE_PROBS)]
    if source == "non_digit":
        return Sample(*draw_non_digit(digits, rng), NO_DIGIT)
    if source == "in_number":
        row = draw_row(digits, rng)
        index = int(rng.integers(len(row)))
        picture = photograph(join(row, rng), rng)
        return Sample(picture, *row[index], SYNTHETIC.min_similarity, (index, len(row)))
    index = int(rng.integers(len(digits.images)))
    image, digit = digits.images[index], int(digits.labels[index])
    if source == "corrupted":
        return Sample(corrupt(image, rng), image, digit, SYNTHETIC.min_similarity_corrupted)
    if source == "handwritten":
        ink = draw_handwritten(image, rng)
    else:
        digit = int(rng.integers(10))
        ink = draw_printed(str(digit), rng) if source == "printed" else draw_digit(digit, rng)
    return Sample(photograph(ink, rng), ink, digit)


def _preprocessed_samples(digits: Digits, rng: np.random.Generator) -> Iterator[tuple[Images, int]]:
    """Yield preprocessed images and their digits, endlessly."""
    while True:
        sample = _draw_sample(digits, rng)
        crop = _crop(sample)
        if crop is None:
            continue
        image = 255 - crop.astype(np.uint8)
        if sample.ink is None or ink_similarity(image, sample.ink) >= sample.min_similarity:
            yield image, sample.digit


def _crop(sample: Sample) -> Pixels | None:
    """Crop the digit of a picture as `mnist` does; None if preprocessing does not find it."""
    picture = Picture.from_pixels(sample.picture)
    if sample.place is None:
        try:
            return best_crop(prepare(picture))
        except InputError:
            return None
    index, count = sample.place
    look = looks.look_for_number(picture.image)
    found = sorted(looks.digits_of_number(look), key=lambda one: look.detections[one].box.left)
    return crops.crop_detection(picture.image, look, found[index]) if len(found) == count else None


def ink_similarity(image: Gray, ink: Gray) -> float:
    """Return the cosine similarity of a preprocessed image [28, 28] and the ink of its digit.

    Both are blurred, because the digit may have become bolder or moved by a pixel. The ink is
    normalized here and not by the preprocessing, whose mistakes would then go unnoticed.
    """
    scale = DIGIT_SIDE / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    mass = cv2.moments(small)
    if not mass["m00"]:
        return 0.0
    shift = [SIDE / 2 - mass[axis] / mass["m00"] for axis in ("m10", "m01")]
    centred = cv2.warpAffine(small, np.column_stack([np.eye(2), shift]), (SIDE, SIDE))
    a, b = (
        cv2.GaussianBlur(part, (0, 0), SYNTHETIC.similarity_blur_sd).ravel()
        for part in (centred, image / 255.0)
    )
    norm = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / norm if norm else 0.0


_SOURCES = tuple(SYNTHETIC.source_probs)
_SOURCE_PROBS = tuple(SYNTHETIC.source_probs.values())

_digits: Digits
"""The handwriting, in a worker process."""


def _init_worker(digits: Digits) -> None:
    global _digits
    _digits = digits
    cv2.setNumThreads(1)  # one worker per core


def _make_chunk(seed: list[int], count: int) -> tuple[Images, Labels]:
    samples = _preprocessed_samples(_digits, np.random.default_rng(seed))
    made = [next(samples) for _ in range(count)]
    return np.stack([image for image, _ in made]), np.array([digit for _, digit in made], np.int64)
