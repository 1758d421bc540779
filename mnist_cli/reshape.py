"""From pixels to what the models take: the five steps, and the framing before them."""

import functools
from collections.abc import Sequence

import numpy as np

from mnist_cli.arrays import Floats, Indices
from mnist_cli.arrays import Pixels as Pixels
from mnist_cli.framing import frame
from mnist_cli.option_types import Preprocess

SIDE = 28


def preprocess_batch(
    pictures: Sequence[Pixels] | Pixels, preprocess: Preprocess = "auto"
) -> Floats:
    """Pictures -> the input of a model, float32 [N, 784], ink 1.0 and paper 0.0.

    Args:
        pictures: N pictures [H, W] of any sizes, 0 black to 255 white.
        preprocess: `plain` takes the five steps alone; `auto` frames each picture first.

    Raises:
        InputError: `auto` finds no digit in a picture.
    """
    if preprocess == "auto":
        pictures = [frame(picture) for picture in pictures]
    return to_model_input(pictures)


def to_28x28(pixels: Pixels, preprocess: Preprocess = "auto") -> Pixels:
    """One picture [H, W] -> [28, 28] of the same batch, for those who collect many before it.

    Raises:
        InputError: `auto` finds no digit in it.
    """
    return frame(pixels) if preprocess == "auto" else resize(pixels[..., np.newaxis])[..., 0]


def to_model_input(pictures: Sequence[Pixels] | Pixels) -> Floats:
    """N pictures [H, W], 0 black to 255 white -> a batch, float32 [N, 784]."""
    images = [picture[..., np.newaxis] for picture in pictures]
    resized = np.array([resize(image) for image in images], np.float32)
    flat = resized.reshape(len(pictures), SIDE * SIDE)
    return 1 - flat / np.float32(255)


def resize(image: Pixels) -> Floats:
    """An image [H, W, C] -> float32 [28, 28, C], bilinear as in TensorFlow 1.

    `tf.image.resize_images` of TensorFlow 1 maps output i to input i * H / 28, without half-pixel
    centres and without antialiasing; the models of 2017 were made for its results. Source: the
    legacy scaler in tensorflow/core/util/image_resizer_state.h.
    """
    if image.shape[:2] == (SIDE, SIDE):
        return image.astype(np.float32)
    top, bottom, down = _source_positions(image.shape[0])
    left, right, across = _source_positions(image.shape[1])
    down, across = down[:, np.newaxis, np.newaxis], across[:, np.newaxis]

    def pixels_at(rows: Indices, columns: Indices) -> Floats:
        return image[rows][:, columns].astype(np.float32)

    upper = pixels_at(top, left) + (pixels_at(top, right) - pixels_at(top, left)) * across
    lower = pixels_at(bottom, left) + (pixels_at(bottom, right) - pixels_at(bottom, left)) * across
    return upper + (lower - upper) * down


@functools.lru_cache
def _source_positions(size: int) -> tuple[Indices, Indices, Floats]:
    """For each of 28 outputs: the inputs before and after it, and its distance from the first."""
    position = np.arange(SIDE, dtype=np.float32) * (np.float32(size) / np.float32(SIDE))
    floor = np.floor(position)
    before = floor.astype(np.intp)
    return before, np.minimum(before + 1, size - 1), position - floor
