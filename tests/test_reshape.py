"""The five steps against TensorFlow 1, and the normalization before them."""

import io
import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw

from mnist_cli.errors import InputError
from mnist_cli.framing import frame
from mnist_cli.option_types import Preprocess
from mnist_cli.reshape import preprocess_batch, resize
from tests.running import run

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
    batch = preprocess_batch([pixels], "plain")
    assert batch.shape == (1, 784)
    assert batch.dtype == np.float32
    np.testing.assert_allclose(batch[0], _five_steps_by_definition(pixels), atol=1e-6)


@pytest.mark.parametrize("shape", [(84, 85), (20, 21), (600, 800), (3, 999)])
def test_resize_is_that_of_tensorflow_1(shape: tuple[int, int]) -> None:
    import tensorflow as tf

    image = np.random.default_rng(1).integers(0, 256, (*shape, 1), np.uint8)
    expected = tf.compat.v1.image.resize_images(image, (28, 28)).numpy()
    np.testing.assert_allclose(resize(image) / 255, expected / 255, atol=1e-6)


def test_small_pictures_by_hand() -> None:
    # Output i reads input i * 2 / 28; from 14 on it is the last one, which has no neighbour.
    ramp = preprocess_batch([np.array([[0, 255]], np.uint8)], "plain").reshape(28, 28)
    expected = [1 - step / 14 for step in range(14)] + [0] * 14
    np.testing.assert_allclose(ramp, [expected] * 28, atol=1e-6)
    # Each output is one input: there is no antialiasing.
    stripes = np.zeros((56, 56), np.uint8)
    stripes[1::2] = 255
    np.testing.assert_array_equal(preprocess_batch([stripes], "plain"), np.ones((1, 784)))


def test_ink_is_1_and_paper_is_0() -> None:
    pixels = np.full((28, 28), 255, np.uint8)
    pixels[3, 4] = 0
    pixels[5, 6] = 51
    batch = preprocess_batch([pixels], "plain").reshape(28, 28)
    assert (batch[3, 4], batch[5, 6], batch[0, 0]) == (1, np.float32(0.8), 0)


def test_a_batch_is_its_pictures_one_by_one(digits: Array) -> None:
    pictures = [digits[0], np.kron(digits[1], np.ones((3, 2), np.uint8)), digits[2]]
    modes: tuple[Preprocess, ...] = ("plain", "auto")
    for preprocess in modes:
        single = [preprocess_batch([picture], preprocess) for picture in pictures]
        np.testing.assert_array_equal(
            preprocess_batch(pictures, preprocess),
            np.concatenate(single),
        )


def test_images_of_mnist_are_normalized_already(digits: Array) -> None:
    for digit in digits:
        np.testing.assert_array_equal(frame(digit), digit)
        np.testing.assert_array_equal(frame(255 - digit), digit)


def test_framing_twice_changes_nothing(digits: Array) -> None:
    for digit in digits[::50]:
        once = frame(np.pad(np.kron(digit, np.ones((3, 3), np.uint8)), ((9, 90), (5, 40)), "edge"))
        np.testing.assert_array_equal(frame(once), once)


def test_position_size_and_contrast_do_not_matter(digits: Array) -> None:
    digit = np.kron(digits[0], np.ones((4, 4), np.uint8))
    plain = frame(digit)
    moved = np.full((300, 500), 255, np.uint8)
    moved[30:142, 350:462] = digit
    faded = (moved * 0.5 + 60).astype(np.uint8)
    for picture in (moved, 255 - moved, faded, 255 - faded):
        np.testing.assert_allclose(frame(picture), plain, atol=2)


def test_the_digit_is_centred_by_its_mass_in_20x20() -> None:
    picture = np.full((100, 200), 255, np.uint8)
    picture[10:90, 20:60] = 0  # a bar of 80 x 40
    framed = frame(picture)
    assert framed.shape == (28, 28)
    rows, columns = np.nonzero(framed < 255)
    assert (rows.min(), rows.max()) == (4, 23)
    assert (columns.min(), columns.max()) == (9, 18)


@pytest.mark.parametrize("size", [300, 3000])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 10])
def test_a_thin_line_keeps_its_ink(width: int, size: int) -> None:
    picture = Image.new("L", (size, size), "white")
    seven = [(0.27 * size, 0.17 * size), (0.73 * size, 0.17 * size), (0.4 * size, 0.83 * size)]
    ImageDraw.Draw(picture).line(seven, "black", width * size // 300)
    assert frame(np.asarray(picture)).min() == 0
    assert run("predict", "-", stdin=_png(picture)).record["prediction"] == 7


def _png(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def test_a_faint_square_is_not_a_digit() -> None:
    faint = np.full((28, 28), 255, np.uint8)
    faint[4:24, 4:24] = 254
    with pytest.raises(InputError, match="no digit"):
        frame(faint)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_picture_is_an_error(level: int) -> None:
    for shape in ((28, 28), (300, 200), (1, 1)):
        with pytest.raises(InputError, match="no digit"):
            frame(np.full(shape, level, np.uint8))
