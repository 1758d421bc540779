"""Locating and normalizing a digit in scans, photographs and drawings."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from mnist_cli.errors import InputError
from mnist_cli.framing import frame
from tests.running import SAMPLES, run

Picture = npt.NDArray[np.uint8]
Light = npt.NDArray[np.float64]
"""A picture before light, noise and other ink are added, about 0 black to 255 white."""

HEIGHT, WIDTH = 220, 200
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH].astype(np.float64)
PAGE = np.full((HEIGHT, WIDTH), 255.0)


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


def _picture(page: Light) -> Picture:
    return np.asarray(page.clip(0, 255).round(), np.uint8)


def _assert_alike(one: Picture, other: Picture) -> None:
    """Assert that the foregrounds are equal up to one pixel at their edges."""
    inks = [framed < 192 for framed in (one, other)]
    for ink, near in zip(inks, map(_grown, reversed(inks)), strict=True):
        assert not (ink & ~near).any()


def _grown(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Dilate a mask by a square of 3x3 pixels."""
    near = np.lib.stride_tricks.sliding_window_view(np.pad(mask, 1), (3, 3))
    return np.asarray(near.any(axis=(2, 3)))


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
@pytest.mark.parametrize("written", [_handwritten, _printed])
def test_the_digit_alone_is_framed(scene: str, written: Callable[[int], Light]) -> None:
    for digit in range(10):
        page = written(digit)
        _assert_alike(frame(_picture(SCENES[scene](page))), frame(_picture(page)))


@scenes
def test_light_on_dark_is_dark_on_light(scene: str) -> None:
    for page in (*map(_handwritten, range(10)), *map(_printed, range(10))):
        picture = _picture(SCENES[scene](page))
        np.testing.assert_array_equal(frame(255 - picture), frame(picture))


@scenes
def test_framing_twice_changes_nothing(scene: str) -> None:
    for page in (*map(_handwritten, range(10)), *map(_printed, range(10))):
        once = frame(_picture(SCENES[scene](page)))
        np.testing.assert_array_equal(frame(once), once)
        np.testing.assert_array_equal(frame(255 - once), once)


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


def test_a_digit_that_nearly_fills_a_large_picture() -> None:
    """Locating the digit again with more pixels must not change the result."""
    for height, width in ((270, 241), (323, 225), (300, 300), (410, 520)):
        digit = Image.fromarray(_picture(_handwritten(3))).resize((width, height))
        page = np.asarray(digit, np.float64)
        photograph = _noise(page * np.linspace(0.4, 1, width), 8)
        _assert_alike(frame(_picture(photograph)), frame(_picture(page)))


@pytest.mark.parametrize("written", [_handwritten, _printed])
def test_full_bleed(written: Callable[[int], Light]) -> None:
    for digit in range(10):
        picture = _picture(written(digit))
        rows, columns = np.nonzero(picture < 128)
        crop = picture[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
        for turned in (crop, 255 - crop):
            _assert_alike(frame(turned), frame(picture))


def test_strokes_along_all_sides_of_the_picture() -> None:
    page = Image.new("L", (81, 121), "white")
    pen = ImageDraw.Draw(page)
    pen.rounded_rectangle((20, 10, 60, 60), 12, outline="black", width=12)
    pen.rounded_rectangle((20, 49, 60, 110), 12, outline="black", width=12)
    eight = np.asarray(page)
    for turned in (eight, 255 - eight):
        _assert_alike(frame(turned[10:111, 20:61]), frame(eight))


def test_a_thick_stroke_from_side_to_side_is_not_a_ruled_line() -> None:
    page = Image.new("L", (200, 240), "white")
    pen = ImageDraw.Draw(page)
    for box in ((94, 64, 107, 176), (76, 60, 124, 68), (76, 172, 124, 180)):
        pen.rectangle(box, "black")
    one = np.asarray(page)
    _assert_alike(frame(one[57:183, 73:127]), frame(one))


@pytest.mark.parametrize("pair", [(1, 2), (0, 1), (6, 1), (4, 7)])
@pytest.mark.parametrize("noise", [0, 5])
def test_two_digits_are_both_kept(pair: tuple[int, int], noise: float) -> None:
    sides = [_handwritten(digit)[40:180, 35:165] for digit in pair]
    beside = np.pad(np.hstack(sides), 60, constant_values=255)
    framed = frame(_picture(_noise(0.9 * beside, noise)))
    columns = np.flatnonzero((framed < 128).any(axis=0))
    gaps = np.diff(columns)
    assert np.count_nonzero(gaps > 1) == 1
    assert columns[0] < 10 and columns[-1] > 17


@pytest.mark.parametrize("width", [1, 2, 4, 12])
def test_pens_thinner_than_those_of_mnist(width: int) -> None:
    def seven(width: int) -> Picture:
        page = Image.new("L", (400, 400), "white")
        ImageDraw.Draw(page).line([(100, 60), (300, 60), (180, 340)], "black", width, "curve")
        return np.asarray(page)

    framed = frame(seven(width))
    assert framed.min() == 0
    _assert_alike(framed, frame(seven(30)))


def test_a_shifted_digit_is_centred(digits: Picture) -> None:
    for digit in digits[::250]:
        ink = np.pad(digit[3:-3, 3:-3], 3, constant_values=255)
        for shift in ((3, 0), (-3, 2), (0, -3), (2, 3)):
            framed = 255.0 - frame(np.roll(ink, shift, (0, 1)))
            for axis in (0, 1):
                centre = framed.sum(axis=1 - axis) @ np.arange(28) / framed.sum()
                assert 13 <= centre <= 15
            sides = [np.ptp(np.flatnonzero(framed.any(axis=axis))) + 1 for axis in (0, 1)]
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
def test_a_blank_picture_is_an_error(blank: str) -> None:
    picture = _picture(BLANKS[blank])
    for turned in (picture, 255 - picture):
        file = io.BytesIO()
        Image.fromarray(turned).save(file, "PNG")
        result = run("predict", "-", stdin=file.getvalue())
        assert result.code == 3
        assert "no digit in the picture" in result.record["error"]


@pytest.mark.timeout(60)
def test_random_pictures_of_all_kinds() -> None:
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
    for index in range(350):
        # Sides are log-uniform from 1 to 300.
        shape = tuple(int(side) for side in np.exp(rng.uniform(0, np.log(301), 2)))
        picture = _picture(kinds[index % len(kinds)](shape))
        try:
            framed = frame(picture)
        except InputError:
            continue
        assert framed.shape == (28, 28) and framed.dtype == np.uint8
        np.testing.assert_array_equal(frame(framed), framed)
