"""One digit in scans, photographs and drawings."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from mnist_cli import recognition
from mnist_cli.arrays import Gray
from mnist_cli.errors import InputError
from mnist_cli.loader import Model, load_model
from mnist_cli.picture import Picture
from mnist_cli.prediction import Digit
from mnist_cli.preprocessing.geometry import Box, iou
from mnist_cli.preprocessing.normalize import is_mnist_normalized
from tests.drawing import png
from tests.running import SAMPLES, run

Light = npt.NDArray[np.float64]
"""A picture before light, noise and other ink are added, about 0 black to 255 white."""

HEIGHT, WIDTH = 220, 200
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
PAGE = np.full((HEIGHT, WIDTH), 255.0)


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("k_cnn")


def _read(model: Model, picture: Gray) -> Digit:
    return recognition.read_digit(model, Picture.from_pixels(picture))


def _number(digit: Digit) -> int:
    return digit.digit


def _handwritten(digit: int) -> Light:
    """A page with a sample of MNIST; the digit is 100 pixels high."""
    sample = Image.open(SAMPLES / f"MNIST-{digit}.png").convert("L")
    page = Image.new("L", (WIDTH, HEIGHT), "white")
    page.paste(sample.resize((140, 140), Image.Resampling.BICUBIC), (30, 40))
    return np.asarray(page, np.float64)


def _printed(digit: int) -> Light:
    page = Image.new("L", (WIDTH, HEIGHT), "white")
    middle, font = (WIDTH / 2, HEIGHT / 2), ImageFont.load_default(130)
    ImageDraw.Draw(page).text(middle, str(digit), "black", font, anchor="mm")
    return np.asarray(page, np.float64)


def _with(page: Light, draw: Callable[[ImageDraw.ImageDraw], None]) -> Light:
    """Draw more ink on the page."""
    other = Image.new("L", (WIDTH, HEIGHT), "white")
    draw(ImageDraw.Draw(other))
    return np.minimum(page, np.asarray(other, np.float64))


def _ruled(pen: ImageDraw.ImageDraw) -> None:
    for y in range(10, HEIGHT, 70):
        pen.line([(0, y), (WIDTH, y + 3)], 150, 2)


def _squared(pen: ImageDraw.ImageDraw) -> None:
    for y in range(5, HEIGHT, 40):
        pen.line([(0, y), (WIDTH, y + 2)], 170)
    for x in range(8, WIDTH, 40):
        pen.line([(x, 0), (x, HEIGHT)], 170)


def _cell(pen: ImageDraw.ImageDraw) -> None:
    pen.rectangle((12, 20, 188, 202), outline=40, width=3)


def _row_of_cells(pen: ImageDraw.ImageDraw) -> None:
    _cell(pen)
    for y in (21, 201):
        pen.line([(0, y), (WIDTH, y)], 40, 3)


def _neighbour(pen: ImageDraw.ImageDraw) -> None:
    pen.ellipse((182, 60, 260, 160), outline=10, width=12)


def _dirt(pen: ImageDraw.ImageDraw) -> None:
    for x, y in ((15, 15), (180, 30), (20, 200), (170, 205)):
        pen.ellipse((x, y, x + 3, y + 3), fill=60)


def _uneven_light(page: Light) -> Light:
    light: Light = 1 - 0.6 * COLUMNS / WIDTH
    return page * light


def _noise(page: Light, deviation: float) -> Light:
    return page + np.random.default_rng(0).normal(0, deviation, page.shape)


def _salt_and_pepper(page: Light) -> Light:
    chance = np.random.default_rng(0).random(page.shape)
    return np.where(chance < 0.005, 0, np.where(chance > 0.995, 255, page))


def _jpeg(page: Light) -> Light:
    file = io.BytesIO()
    Image.fromarray(_picture(page)).save(file, "JPEG", quality=20)
    return np.asarray(Image.open(file), np.float64)


def _picture(page: Light) -> Gray:
    return np.asarray(page.clip(0, 255).round(), np.uint8)


SCENES: dict[str, Callable[[Light], Light]] = {
    "clean": lambda page: page,
    "uneven light": _uneven_light,
    "hard shadow": lambda page: _noise(page * np.where(ROWS + COLUMNS > HEIGHT, 0.7, 1), 3),
    "deep shadow": lambda page: _noise(
        (0.6 * page + 80) * np.where(COLUMNS > 0.5 * WIDTH, 0.45, 1), 2
    ),
    "ruled paper": lambda page: _with(page, _ruled),
    "squared paper": lambda page: _noise(0.9 * _with(page, _squared), 8),
    "form cell": lambda page: _with(page, _cell),
    "row of cells": lambda page: _with(page, _row_of_cells),
    "neighbour": lambda page: _with(page, _neighbour),
    "dirt": lambda page: _with(page, _dirt),
    "noise": lambda page: _noise(0.6 * page + 50, 15),
    "salt and pepper": _salt_and_pepper,
    "faint, jpeg": lambda page: _jpeg(0.5 * page + 80),
    "a phone": lambda page: _jpeg(_noise(_uneven_light(_with(0.7 * page + 40, _ruled)), 6)),
}

scenes = pytest.mark.parametrize("scene", SCENES)


@scenes
def test_handwriting_is_read(scene: str, tmp_path: Path) -> None:
    files = []
    for digit in range(10):
        files.append(tmp_path / f"{digit}.png")
        Image.fromarray(_picture(SCENES[scene](_handwritten(digit)))).save(files[-1])
    result = run("predict", *files)
    assert (result.code, result.stderr) == (0, "")
    assert [record["prediction"] for record in result.records] == list(range(10))


@scenes
@pytest.mark.slow
@pytest.mark.parametrize("written", [_handwritten, _printed])
def test_light_on_dark_is_read_as_dark_on_light(
    scene: str, written: Callable[[int], Light], model: Model
) -> None:
    pictures = [_picture(SCENES[scene](written(digit))) for digit in range(10)]
    dark = [_read(model, picture) for picture in pictures]
    light = [_read(model, 255 - picture) for picture in pictures]
    assert [_number(digit) for digit in dark] == [_number(digit) for digit in light]
    assert [_number(digit) for digit in dark] == list(range(10))


@scenes
def test_what_the_model_reads_is_normalized(scene: str, model: Model) -> None:
    for page in (*map(_handwritten, range(10)), *map(_printed, range(10))):
        once = np.asarray(_read(model, _picture(SCENES[scene](page))).image, np.uint8)
        for picture in (once, 255 - once):
            again = _read(model, picture)
            np.testing.assert_array_equal(again.image, once)


@pytest.mark.parametrize("scene", sorted(SCENES.keys() - {"ruled paper"}))
def test_the_box_is_around_the_digit(scene: str, model: Model) -> None:
    for page in map(_handwritten, range(10)):
        rows, columns = np.nonzero(page < 128)
        left, top = int(columns.min()), int(rows.min())
        ink = Box(left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top)
        assert iou(_read(model, _picture(SCENES[scene](page))).box, ink) > 0.5


@pytest.mark.parametrize("noise", [0, 4])
@pytest.mark.parametrize("side", [8, 10, 14])
def test_tiny_digits(side: int, noise: float, tmp_path: Path) -> None:
    files = []
    for digit in range(10):
        page = Image.fromarray(_picture(_handwritten(digit)))
        # A digit is a half of the page wide, or less.
        page = page.resize((WIDTH * side // 100, HEIGHT * side // 100), Image.Resampling.BOX)
        files.append(tmp_path / f"{digit}.png")
        Image.fromarray(_picture(_noise(0.9 * np.asarray(page), noise))).save(files[-1])
    records = run("predict", *files).records
    assert [record["prediction"] for record in records] == list(range(10))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0, 4])
def test_a_small_digit_in_a_photograph(noise: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    files = []
    for digit in (2, 5, 8):
        sheet = np.full((3000, 4000), 235, np.float32)
        digits = Image.fromarray(_picture(_handwritten(digit))).resize((300, 330))  # 150 high
        sheet[2500:2830, 700:1000] = 235 / 255 * np.asarray(digits, np.float32)
        if noise:
            sheet *= np.linspace(0.6, 1, 4000, dtype=np.float32)
            sheet += noise * rng.standard_normal(sheet.shape, np.float32)
        files.append(tmp_path / f"{digit}.jpg")
        Image.fromarray(sheet.clip(0, 255).astype(np.uint8)).save(files[-1])
    assert [record["prediction"] for record in run("predict", *files).records] == [2, 5, 8]


@pytest.mark.parametrize("written", [_handwritten, _printed])
def test_full_bleed(written: Callable[[int], Light], model: Model) -> None:
    for digit in range(10):
        picture = _picture(written(digit))
        rows, columns = np.nonzero(picture < 128)
        crop = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        for turned in (crop, 255 - crop):
            assert _number(_read(model, turned)) == digit


def test_strokes_along_all_sides_of_the_picture(model: Model) -> None:
    page = Image.new("L", (81, 121), "white")
    pen = ImageDraw.Draw(page)
    pen.rounded_rectangle((20, 10, 60, 60), 12, outline="black", width=12)
    pen.rounded_rectangle((20, 49, 60, 110), 12, outline="black", width=12)
    eight = np.asarray(page)
    for turned in (eight, 255 - eight):
        assert _number(_read(model, turned[10:111, 20:61])) == 8


@pytest.mark.slow
@pytest.mark.parametrize("contrast", [33, 48, 64, 96, 128])
def test_faint_images_of_mnist(
    contrast: int, digits: Gray, labels: npt.NDArray[np.int64], tmp_path: Path
) -> None:
    files = []
    for index, image in enumerate(digits[::250]):
        faint = np.round((255 - image) * (contrast / 255)).astype(np.uint8)
        for name, picture in (("dark", 255 - faint), ("light", faint)):
            files.append(tmp_path / f"{index}-{name}.png")
            Image.fromarray(picture).save(files[-1])
    result = run("predict", *files)
    assert result.code == 0
    answers = [record["prediction"] for record in result.records]
    assert answers == np.repeat(labels[::250], 2).tolist()


def test_a_shifted_digit_is_centred(digits: Gray, model: Model) -> None:
    for digit in digits[::250]:
        ink = np.pad(digit[3:-3, 3:-3], 3, constant_values=255)
        for shift in ((3, 0), (-3, 2), (0, -3), (2, 3)):
            image = np.asarray(_read(model, np.roll(ink, shift, (0, 1))).image, np.float64)
            foreground = 255 - image
            for axis in (0, 1):
                centre = foreground.sum(axis=1 - axis) @ np.arange(28) / foreground.sum()
                assert 13 <= centre <= 15
            sides = [np.ptp(np.flatnonzero(foreground.any(axis=axis))) + 1 for axis in (0, 1)]
            assert 19 <= max(sides) <= 20


BLANKS = {
    "white": PAGE,
    "black": 0 * PAGE,
    "gray": 0.5 * PAGE,
    "a black pixel": np.zeros((1, 1)),
    "noise": _noise(0.7 * PAGE, 5),
    "gradient": COLUMNS * 255 / WIDTH,
    "corner to corner": 255 * (ROWS + COLUMNS) / (HEIGHT + WIDTH),
    "vignette": 255 - ((ROWS - HEIGHT / 2) ** 2 + (COLUMNS - WIDTH / 2) ** 2) / 150,
    "empty cells": _noise(0.9 * _with(PAGE, _row_of_cells), 2),
    "checkers": 100.0 + 80 * ((ROWS // 8 + COLUMNS // 8) % 2),
    "rings": 128 + 60 * np.sin(np.hypot(ROWS - 90, COLUMNS - 110) / 2),
    "photograph of paper": _jpeg(_noise(_uneven_light(0.9 * PAGE), 4)),
}


@pytest.mark.parametrize("blank", BLANKS)
def test_a_picture_without_a_digit_is_refused_or_uncertain(blank: str) -> None:
    picture = _picture(BLANKS[blank])
    for turned in (picture, 255 - picture):
        result = run("predict", "-", stdin=png(turned))
        if result.code == 0:
            assert result.record["uncertain"]
        else:
            assert result.code == 3
            assert "no digit in the picture" in result.record["error"]


@pytest.mark.parametrize("blank", ["white", "black", "gray", "a black pixel", "noise"])
def test_a_blank_picture_is_an_error(blank: str) -> None:
    result = run("predict", "-", stdin=png(_picture(BLANKS[blank])))
    assert result.code == 3
    assert "no digit in the picture" in result.record["error"]


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_random_pictures_of_all_kinds(model: Model) -> None:
    rng = np.random.default_rng(0)
    kinds: list[Callable[[tuple[int, ...]], npt.NDArray[Any]]] = [
        lambda shape: rng.uniform(0, 255, shape),
        lambda shape: 255.0 * (rng.random(shape) < rng.random()),
        lambda shape: rng.normal(128, rng.uniform(1, 60), shape),
        lambda shape: np.full(shape, rng.uniform(0, 255)) * (rng.random(shape) < 0.999),
        lambda shape: np.kron(rng.uniform(0, 255, (2, 3)), np.ones(shape))[: shape[0], : shape[1]],
        lambda shape: rng.uniform(0, 255, (shape[0], 1)) + np.zeros(shape),
        lambda shape: np.zeros(shape) + np.linspace(rng.uniform(0, 255), 255, shape[1]),
    ]
    for index in range(140):
        # Sides are log-uniform from 1 to 300.
        shape = tuple(int(side) for side in np.exp(rng.uniform(0, np.log(301), 2)))
        picture = _picture(kinds[index % len(kinds)](shape))
        number = recognition.read_number(model, Picture.from_pixels(picture))
        assert all(digit.image.shape == (28, 28) for digit in number.digits)
        try:
            digit = _read(model, picture)
        except InputError:
            continue
        assert digit.image.shape == (28, 28) and digit.image.dtype == np.uint8
        assert 0 <= digit.box.x < digit.box.x + digit.box.width <= shape[1]
        assert 0 <= digit.box.y < digit.box.y + digit.box.height <= shape[0]
        assert is_mnist_normalized(np.asarray(digit.image, np.uint8))
