"""Training pictures from the world outside MNIST: made, photographed, and framed as in `mnist`.

Nothing here is read from files but the fonts and the training part of MNIST.
"""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track

from mnist_cli.errors import InputError
from mnist_cli.framing import frame
from training.data import Digits, Images, Labels
from training.synthetic.camera import photograph
from training.synthetic.corruptions import corrupt
from training.synthetic.handwritten import draw_handwritten
from training.synthetic.ink import Gray
from training.synthetic.non_digits import draw_non_digit
from training.synthetic.printed import draw_printed
from training.synthetic.strokes import draw_digit

NO_DIGIT = -1

SOURCE_PROBABILITIES = {
    # What people send besides handwriting, and what MNIST has nothing of.
    "printed": 0.28,
    # What the program is for, as cameras and scanners see it.
    "handwritten": 0.28,
    # Ways of writing that the writers of MNIST did not have.
    "strokes": 0.12,
    # Noise and lines right through the digit, which framing can't take away.
    "corrupted": 0.20,
    # Enough to learn a flat answer; more would make the model doubt digits, too.
    "non_digit": 0.12,
}
"""The part that each source has of the pictures."""

SIDE, DIGIT_SIDE = 28, 20  # of MNIST: the image, and the digit in it
CHUNK_IMAGES = 1_000  # pictures that one process makes at a time

MIN_SIMILARITY = 0.8
"""Framing may lose a digit or take a part for the whole; below this, the label would be a guess."""

MIN_SIMILARITY_CORRUPTED = 0.5
"""A turned digit, or one with a line through it, looks different: that is what is to be learned."""

STDERR = Console(stderr=True)


class Sample(NamedTuple):
    """A picture and what was drawn in it."""

    picture: Gray
    ink: Gray | None
    """None where it cannot be told from its paper."""
    digit: int
    min_similarity: float = MIN_SIMILARITY
    """How much of the ink framing has to find."""


def make_pictures(
    digits: Digits, count: int, rng: np.random.Generator
) -> tuple[list[Gray], Labels]:
    """Make pictures in random order.

    Args:
        digits: the training part of MNIST, which the handwriting is taken from.
        count: how many, N.
        rng: where all chance comes from.

    Returns:
        N pictures, uint8 [H, W] of any sizes, 0 black to 255 white, and int64 [N]: the digit that
        each shows, or -1 for none.

    Raises:
        OSError: there are no fonts.
    """
    made = [_draw_sample(digits, rng) for _ in range(count)]
    return [one.picture for one in made], np.array([one.digit for one in made], np.int64)


def make_images(digits: Digits, count: int, seed: int) -> Digits:
    """Make pictures and frame them as `mnist` does; what it does not find is made anew.

    Args:
        digits: the training part of MNIST, which the handwriting is taken from.
        count: how many, N.
        seed: the same seed gives the same images, whatever the number of processors.

    Returns:
        N images, uint8 [N, 28, 28], paper 0, ink 255, and int64 [N]: the digit of each, or -1.

    Raises:
        OSError: there are no fonts.
    """
    sizes = [min(CHUNK_IMAGES, count - start) for start in range(0, count, CHUNK_IMAGES)]
    # New processes: to fork one that has threads, as TensorFlow does, may block it for ever.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, _init_worker, (digits,)) as pool:
        chunks = [pool.submit(_make_chunk, [seed, n], size) for n, size in enumerate(sizes)]
        made = [chunk.result() for chunk in track(chunks, "synthetic pictures", console=STDERR)]
    images, labels = zip(*made, strict=True)
    return Digits(np.concatenate(images), np.concatenate(labels))


def _draw_sample(digits: Digits, rng: np.random.Generator) -> Sample:
    source = _SOURCES[rng.choice(len(_SOURCES), p=_PROBABILITIES)]
    if source == "non_digit":
        return Sample(*draw_non_digit(digits, rng), NO_DIGIT)
    chosen = rng.integers(len(digits.images))
    image, digit = digits.images[chosen], int(digits.labels[chosen])
    if source == "corrupted":
        return Sample(corrupt(image, rng), image, digit, MIN_SIMILARITY_CORRUPTED)
    if source == "handwritten":
        ink = draw_handwritten(image, rng)
    else:
        digit = int(rng.integers(10))
        ink = draw_printed(str(digit), rng) if source == "printed" else draw_digit(digit, rng)
    return Sample(photograph(ink, rng), ink, digit)


def _images(digits: Digits, rng: np.random.Generator) -> Iterator[tuple[Images, int]]:
    """Yield framed images with their digits for ever."""
    while True:
        made = _draw_sample(digits, rng)
        try:
            image = 255 - frame(made.picture)
            if made.ink is None or _similarity(image, made.ink) >= made.min_similarity:
                yield image, made.digit
        except InputError:
            continue


def _similarity(image: Gray, ink: Gray) -> float:
    """How much of what a framed image [28, 28] shows is the ink that was drawn, 0 to 1.

    The cosine of both, blurred, since a digit may be bolder or a pixel beside. The ink is framed
    here in another way, or what `mnist` takes for dirt in both would not be missed.
    """
    scale = DIGIT_SIDE / max(ink.shape)
    size = (max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale)))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    mass = cv2.moments(small)
    shift = [SIDE / 2 - mass[axis] / mass["m00"] for axis in ("m10", "m01")]
    whole = cv2.warpAffine(small, np.column_stack([np.eye(2), shift]), (SIDE, SIDE))
    one, other = (cv2.GaussianBlur(part, (0, 0), 1.5).ravel() for part in (whole, image / 255.0))
    length = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / length if length else 0.0


_SOURCES = tuple(SOURCE_PROBABILITIES)
_PROBABILITIES = tuple(SOURCE_PROBABILITIES.values())

_digits: Digits
"""What a worker process makes handwriting from."""


def _init_worker(digits: Digits) -> None:
    global _digits
    _digits = digits
    cv2.setNumThreads(1)  # there is a process for each core


def _make_chunk(seed: list[int], count: int) -> tuple[Images, Labels]:
    source = _images(_digits, np.random.default_rng(seed))
    made = [next(source) for _ in range(count)]
    return np.stack([image for image, _ in made]), np.array([digit for _, digit in made], np.int64)
