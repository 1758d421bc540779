"""Digits and numbers in scenes that are hard to separate: panels, plates, forms, displays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from mnist_cli.arrays import Gray
from tests.drawing import INK, PAPER, Colours, handwriting, png, printed, scaled, write, written
from tests.running import Result, run

VIRIDIS = np.array([(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)])
"""Colours at 0, 1/4, 1/2, 3/4 and 1 of the colour map."""


def _predict(picture: Image.Image | Gray | Colours, *options: str) -> Result:
    return run("predict", *options, "-", stdin=png(picture))


def _text(picture: Image.Image | Gray | Colours) -> str:
    result = _predict(picture, "--multi")
    assert (result.code, result.stderr) == (0, "")
    return str(result.record["text"])


def _digit(picture: Image.Image | Gray | Colours) -> int:
    result = _predict(picture)
    assert (result.code, result.stderr) == (0, "")
    return int(result.record["prediction"])


def _canvas(digit: Gray) -> Image.Image:
    """White ink on a black canvas inside a white page."""
    page = Image.new("L", (320, 260), "white")
    page.paste("black", (60, 30, 260, 230))
    write(page, digit, (110, 70), "white")
    return page


def _heat_map(digit: Gray) -> Image.Image:
    """The pixels of a digit in the colours of viridis, inside a white page with axes."""
    canvas = Image.new("L", (28, 28), "black")
    small = scaled(digit, 20)
    write(canvas, small, ((28 - small.shape[1]) // 2, 4), "white")
    levels = np.asarray(canvas, np.float64) / 255
    stops = np.linspace(0, 1, len(VIRIDIS))
    colours = np.stack([np.interp(levels, stops, VIRIDIS[:, part]) for part in range(3)], axis=2)
    page = Image.new("RGB", (360, 300), "white")
    panel = Image.fromarray(colours.astype(np.uint8)).resize((224, 224), Image.Resampling.NEAREST)
    page.paste(panel, (80, 30))
    ImageDraw.Draw(page).rectangle((80, 30, 304, 254), outline="black")
    return page


@pytest.mark.parametrize("multi", [False, True])
@pytest.mark.parametrize("panel", [_canvas, _heat_map])
def test_a_dark_panel_in_a_light_page(panel: Callable[[Gray], Image.Image], multi: bool) -> None:
    read: Callable[[Any], object] = _text if multi else _digit
    pages = [panel(scaled(handwriting(digit), 110)) for digit in range(10)]
    assert [str(read(page)) for page in pages] == list("0123456789")


def test_a_yellow_digit_among_black_ones() -> None:
    page = Image.new("RGB", (360, 330), "white")
    for index in range(9):
        digit, place = handwriting(index + 1), (40 + 110 * (index % 3), 30 + 100 * (index // 3))
        write(page, digit, place, (240, 200, 0) if index == 3 else "black")
    assert _text(page) == "123\n456\n789"


ROWS, COLUMNS = np.mgrid[:220, :200].astype(np.float64)
TEXTURES = {
    "checkers": 100.0 + 80 * ((ROWS // 8 + COLUMNS // 8) % 2),
    "rings": 128 + 60 * np.sin(np.hypot(ROWS - 90, COLUMNS - 110) / 2),
    "gradient": COLUMNS * 255 / 200,
    "noise": np.random.default_rng(0).normal(180, 12, ROWS.shape),
    "lines": 230.0 - 90 * (ROWS % 20 < 2),
    "squared paper": 230.0 - 90 * ((ROWS % 20 < 2) | (COLUMNS % 20 < 2)),
    "vignette": 255 - ((ROWS - 110) ** 2 + (COLUMNS - 100) ** 2) / 150,
}


@pytest.mark.parametrize("options", [(), ("--multi",)], ids=["single", "multi"])
@pytest.mark.parametrize("name", TEXTURES)
def test_a_texture_is_refused_or_uncertain(name: str, options: tuple[str, ...]) -> None:
    texture = TEXTURES[name].clip(0, 255).astype(np.uint8)
    for gray in (texture, 255 - texture):
        result = _predict(gray, *options)
        record = result.record
        if "error" in record:
            assert result.code == 3 and "no digit in the picture" in record["error"]
        elif options:
            assert all("uncertain" in digit for digit in record["digits"])
        else:
            assert record["uncertain"]


@pytest.mark.parametrize("multi", [False, True])
def test_an_inverted_stripe_through_a_digit(multi: bool) -> None:
    answers = []
    for digit in range(10):
        page = np.pad(handwriting(digit), 12, constant_values=255)
        stripe = slice(page.shape[1] // 3, 2 * page.shape[1] // 3)
        page[:, stripe] = 255 - page[:, stripe]
        answers.append(_text(page) if multi else str(_digit(page)))
    assert answers == list("0123456789")


def test_the_edge_of_a_form_cell_is_no_one() -> None:
    pixels, boxes = written("53", gap=20)
    page = Image.fromarray(pixels)
    right = boxes[-1][0] + boxes[-1][2] + 14
    ImageDraw.Draw(page).line([(right, 8), (right, page.height - 8)], INK, 3)
    assert _text(page) == "53"


@pytest.mark.parametrize("text", ["53", "407", "1286"])
def test_a_plate_with_a_rim(text: str) -> None:
    pixels, _ = written(text, gap=16, margin=36)
    page = Image.fromarray(np.pad(pixels, 40, constant_values=120))
    rim = (44, 44, page.width - 45, page.height - 45)
    ImageDraw.Draw(page).rounded_rectangle(rim, 14, outline=INK, width=6)
    assert _text(page) == text


@pytest.mark.parametrize(
    ("text", "digits"),
    [("3,025", "3025"), ("24-06.83", "240683"), ("12:45", "1245")],
)
def test_separators_are_ignored(text: str, digits: str) -> None:
    font = ImageFont.load_default(60)
    page = Image.new("L", (int(font.getlength(text)) + 80, 130), PAPER)
    ImageDraw.Draw(page).text((40, 30), text, INK, font)
    assert _text(page) == digits


def test_a_broad_pen() -> None:
    pixels, _ = written("505", gap=16, height=100)
    broad = Image.fromarray(pixels).filter(ImageFilter.MinFilter(9))
    assert _text(broad) == "505"


@pytest.mark.slow
@pytest.mark.parametrize("height", [10, 14, 30, 300, 3000])
def test_tiny_and_huge_digits(height: int) -> None:
    answers = []
    for number in range(10):
        digit = scaled(handwriting(number), height)
        size = (2 * digit.shape[1] + height // 2, 2 * height)
        page = Image.new("L", size, PAPER)
        write(page, digit, ((size[0] - digit.shape[1]) // 2, height // 2))
        answers.append(_digit(page))
    assert answers == list(range(10))


@pytest.mark.parametrize("number", [0, 3, 5, 7])
def test_a_small_digit_in_a_large_photograph(number: int) -> None:
    rng = np.random.default_rng(number)
    page = Image.new("L", (1600, 1200), PAPER)
    write(page, scaled(handwriting(number), 26), (900, 700))
    light = np.linspace(1, 0.6, page.width)
    gray = np.asarray(page) * light + rng.normal(0, 5, (page.height, page.width))
    photo = gray.clip(0, 255).astype(np.uint8)
    assert _digit(photo) == number
    assert _text(photo) == str(number)


SEGMENTS = {
    "0": "abcdef", "1": "bc", "2": "abged", "3": "abgcd", "4": "fgbc", "5": "afgcd",
    "6": "afgedc", "7": "abc", "8": "abcdefg", "9": "abcdfg",
}  # fmt: skip


def _display(text: str) -> Gray:
    """Digits of seven segments, dark on gray."""
    page = Image.new("L", (70 * len(text) + 60, 160), 170)
    draw = ImageDraw.Draw(page)
    for index, character in enumerate(text):
        x, y = 40 + 70 * index, 30
        ends = {
            "a": (0, 0, 40, 0), "b": (40, 0, 40, 48), "c": (40, 52, 40, 100),
            "d": (0, 100, 40, 100), "e": (0, 52, 0, 100), "f": (0, 0, 0, 48), "g": (0, 50, 40, 50),
        }  # fmt: skip
        for segment in SEGMENTS[character]:
            left, top, right, bottom = ends[segment]
            draw.line([(x + left, y + top), (x + right, y + bottom)], 40, 9)
    return np.asarray(page)


@pytest.mark.parametrize("text", ["1250", "3749", "860"])
def test_a_display(text: str) -> None:
    assert _text(_display(text)) == text


def test_a_display_with_a_thousand_specks() -> None:
    gray = _display("1250").copy()
    rng = np.random.default_rng(0)
    gray[rng.integers(0, gray.shape[0], 1200), rng.integers(0, gray.shape[1], 1200)] = 90
    result = _predict(gray, "--multi")
    assert (result.code, result.stderr) == (0, "")
    assert result.record["text"] == "1250" or result.record["uncertain"]


def _meter(text: str) -> Image.Image:
    """Light drums with dark gaps between them, which are hardly higher than digits."""
    pitch, font = 64, ImageFont.load_default(64)
    page = Image.new("L", (pitch * len(text) + 80, 150), 60)
    draw = ImageDraw.Draw(page)
    draw.rounded_rectangle((22, 22, page.width - 22, 128), 10, fill=200)
    for index, character in enumerate(text):
        x = 40 + pitch * index
        draw.rectangle((x - 6, 42, x + 6, 106), fill=40)
        draw.text((x + 3 + (pitch - font.getlength(character)) / 2, 37), character, 50, font)
    return page.filter(ImageFilter.GaussianBlur(2))


@pytest.mark.parametrize("text", ["00384", "24579", "007641"])
def test_the_gaps_between_drums_are_no_ones(text: str) -> None:
    assert _text(_meter(text)) == text


@pytest.mark.parametrize(
    "text",
    ["(274)", "[ 274", "+274", "$274", "§274", "USD 274", "EUR274", "274 No", "274$", "274 kg"],
)
def test_signs_and_units_are_no_digits(text: str) -> None:
    font = ImageFont.load_default(60)
    page = Image.new("L", (int(font.getlength(text)) + 120, 140), PAPER)
    ImageDraw.Draw(page).text((60, 35), text, INK, font)
    assert _text(page) == "274"


A = ((0.0, 1.0), (0.45, 0.0), (0.85, 1.0)), ((0.02, 0.68), (1.0, 0.6))
K = ((0.0, 0.0), (0.0, 1.0)), ((1.0, 0.0), (0.0, 0.5), (1.0, 1.0))


@pytest.mark.parametrize("stroke", [4, 8, 12])
@pytest.mark.parametrize("letter", [A, K])
def test_a_handwritten_letter_is_no_digit(
    letter: tuple[tuple[tuple[float, float], ...], ...], stroke: int
) -> None:
    page = Image.new("L", (120, 120), PAPER)
    draw = ImageDraw.Draw(page)
    for path in letter:
        draw.line([(18 + 84 * x, 14 + 91 * y) for x, y in path], INK, stroke, joint="curve")
    record = _predict(page.filter(ImageFilter.GaussianBlur(0.7))).record
    assert record["uncertain"] and record["digitness"] < 0.2


@pytest.mark.parametrize("pair", ["12", "47", "58", "06", "93"])
def test_two_digits_read_as_one_are_uncertain(pair: str) -> None:
    assert _predict(written(pair)[0]).record["uncertain"]


def test_a_digit_in_a_frame() -> None:
    for number in range(10):
        page = Image.new("L", (200, 200), PAPER)
        digit = scaled(handwriting(number), 100)
        write(page, digit, ((200 - digit.shape[1]) // 2, 50))
        ImageDraw.Draw(page).rectangle((8, 8, 191, 191), outline=INK, width=3)
        assert _digit(page) == number


def _scenes() -> dict[str, Image.Image]:
    """Pictures of the fast path and of the detector."""
    clean, _ = written("4")
    uneven = (clean * np.linspace(1, 0.5, clean.shape[1])).astype(np.uint8)
    pictures = {
        "clean": clean,
        "uneven": uneven,
        "dark": 255 - uneven,
        "pair": written("58")[0],
        "lines": printed(["24", "68"])[0],
        "blank": np.full((40, 50), PAPER, np.uint8),
    }
    scenes = {name: Image.fromarray(gray) for name, gray in pictures.items()}
    return {**scenes, "canvas": _canvas(handwriting(7)), "heat": _heat_map(handwriting(3))}


def test_predict_and_predict_batch_give_the_same_records(tmp_path: Path) -> None:
    files = []
    for name, scene in _scenes().items():
        files.append(tmp_path / f"{name}.png")
        scene.save(files[-1])
    batch = run("predict-batch", "--quiet", "--scores", *files)
    single = run("predict", "--scores", *files)
    assert len(batch.records) == len(files)
    for fields, expected in zip(batch.records, single.records, strict=True):
        # The records of a batch have all fields; those without a value are null.
        record = {name: value for name, value in fields.items() if value is not None}
        for name in ("scores", "probability", "digitness"):
            # Batches are multiplied in another order.
            assert record.pop(name, []) == pytest.approx(expected.pop(name, []), abs=1e-3)
        assert record == expected
    assert sum(record["error"] is not None for record in batch.records) == 1
