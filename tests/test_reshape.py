"""The five steps against their definition and TensorFlow 1."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mnist_cli.reshape import resize, to_28x28, to_model_input

Array = npt.NDArray[Any]


def _five_steps_by_definition(pixels: Array) -> list[float]:
    """The five steps for one picture, pixel by pixel.

    Resizing follows `tf.image.resize_images` of TensorFlow 1: `align_corners=False`, no half-pixel
    centres, and positions in float32.
    """
    height, width = pixels.shape
    down, across = (np.float32(size) / np.float32(28) for size in pixels.shape)
    flat = []
    for row in range(28):
        for column in range(28):
            y, x = float(row * down), float(column * across)
            top, left = math.floor(y), math.floor(x)
            bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
            values = [[float(pixels[j][i]) for i in (left, right)] for j in (top, bottom)]
            upper = values[0][0] + (values[0][1] - values[0][0]) * (x - left)
            lower = values[1][0] + (values[1][1] - values[1][0]) * (x - left)
            flat.append(1 - (upper + (lower - upper) * (y - top)) / 255)
    return flat


@pytest.mark.parametrize(
    "shape",
    [(28, 28), (84, 85), (1, 1), (1, 50), (29, 27), (7, 300), (56, 56), (113, 31), (2, 3)],
)
def test_the_five_steps(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    batch = to_model_input([pixels])
    assert batch.shape == (1, 784)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch[0], _five_steps_by_definition(pixels), atol=1e-6)


@pytest.mark.tensorflow
@pytest.mark.parametrize("shape", [(84, 85), (20, 21), (600, 800), (3, 999)])
def test_resize_is_that_of_tensorflow_1(shape: tuple[int, int]) -> None:
    import tensorflow as tf

    image = np.random.default_rng(1).integers(0, 256, (*shape, 1), np.uint8)
    expected = tf.compat.v1.image.resize_images(image, (28, 28)).numpy()
    np.testing.assert_allclose(resize(image) / 255, expected / 255, atol=1e-6)


def test_small_pictures_by_hand() -> None:
    # Output i reads input i * 2 / 28; from 14 on it is the last one, which has no neighbour.
    ramp = to_model_input([np.array([[0, 255]], np.uint8)]).reshape(28, 28)
    expected = [1 - step / 14 for step in range(14)] + [0] * 14
    np.testing.assert_allclose(ramp, [expected] * 28, atol=1e-6)
    # Each output pixel is one input pixel, without antialiasing.
    stripes = np.zeros((56, 56), np.uint8)
    stripes[1::2] = 255
    np.testing.assert_array_equal(to_model_input([stripes]), np.ones((1, 784)))


def test_ink_is_1_and_paper_is_0() -> None:
    pixels = np.full((28, 28), 255, np.uint8)
    pixels[3, 4] = 0
    pixels[5, 6] = 51
    batch = to_model_input([pixels]).reshape(28, 28)
    assert (batch[3, 4], batch[5, 6], batch[0, 0]) == (1, np.float32(0.8), 0)


def test_a_batch_is_its_pictures_one_by_one(digits: Array) -> None:
    pictures = [digits[0], np.kron(digits[1], np.ones((3, 2), np.uint8)), digits[2]]
    single = [to_model_input([picture]) for picture in pictures]
    np.testing.assert_array_equal(to_model_input(pictures), np.concatenate(single))


def test_images_of_28x28_are_only_scaled(digits: Array) -> None:
    batch = to_model_input(digits[::10])
    expected = 1 - digits[::10].reshape(-1, 784).astype(np.float32) / np.float32(255)
    np.testing.assert_array_equal(batch, expected)


@pytest.mark.parametrize("shape", [(28, 28), (84, 85), (3, 999)])
def test_the_second_step_alone(shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(2).uniform(0, 255, shape)
    small = to_28x28(pixels)
    assert small.shape == (28, 28) and small.dtype == np.float32
    np.testing.assert_array_equal(small, resize(pixels[..., np.newaxis])[..., 0])
    np.testing.assert_array_equal(to_model_input([small]), to_model_input([pixels]))
