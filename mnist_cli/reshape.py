"""Converts pictures to the input of the models in five steps."""

import functools
from collections.abc import Sequence

import numpy as np

from mnist_cli.arrays import Floats, Indices, Pixels
from mnist_cli.signature import SIDE


def to_28x28(pixels: Pixels) -> Floats:
    """Resize one picture [H, W] to float32 [28, 28], the second of the five steps."""
    return resize(pixels[..., np.newaxis])[..., 0]


def to_model_input(pictures: Sequence[Pixels] | Pixels) -> Floats:
    """Take the five steps: N pictures [H, W] of any sizes become a batch, float32 [N, 784].

    Gray levels from 0 for black to 255 for white become 1.0 to 0.0.
    """
    images = [picture[..., np.newaxis] for picture in pictures]
    resized = np.array([resize(image) for image in images], np.float32)
    flat = resized.reshape(len(pictures), SIDE * SIDE)
    return 1 - flat / np.float32(255)


def resize(image: Pixels) -> Floats:
    """Resize an image [H, W, C] to float32 [28, 28, C], bilinear as in TensorFlow 1.

    `tf.image.resize_images` of TensorFlow 1 maps output i to input i * H / 28, without half-pixel
    centres or antialiasing; the original models of 2017 expect its results. Source: the
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
    """Return for each of 28 outputs the inputs on both sides and the distance to the first."""
    position = np.arange(SIDE, dtype=np.float32) * (np.float32(size) / np.float32(SIDE))
    floor = np.floor(position)
    before = floor.astype(np.intp)
    return before, np.minimum(before + 1, size - 1), position - floor
