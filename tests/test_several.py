"""Several digits in one picture: `mnist predict --multi` and `?multi=1` of the server."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.running import SAMPLES, run
from tests.serving import Server

Pixels = npt.NDArray[np.uint8]
Boxes = list[tuple[int, int, int, int]]

INK, PAPER = 30, 230


def _handwriting(digit: str) -> Pixels:
    """A sample of MNIST, dark on light, cropped to the digit."""
    with Image.open(SAMPLES / f"MNIST-{digit}.png") as image:
        gray = np.asarray(image.convert("L"))
    dark = gray < 128
    rows, columns = (np.flatnonzero(dark.any(axis=axis)) for axis in (1, 0))
    return gray[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _written(text: str, gap: int = 14, margin: int = 30) -> tuple[Pixels, Boxes]:
    """Digits of MNIST in a row, `gap` pixels apart, and their bounding boxes."""
    shapes = [_handwriting(digit) for digit in text]
    tall = max(len(shape) for shape in shapes)
    wide = sum(shape.shape[1] + gap for shape in shapes) - gap
    page = np.full((tall + 2 * margin, wide + 2 * margin), PAPER, np.uint8)
    boxes, x = [], margin
    for shape in shapes:
        height, width = shape.shape
        y = margin + (tall - height) // 2
        ink = PAPER - (255 - shape) * ((PAPER - INK) / 255)
        place = page[y : y + height, x : x + width]
        place[:] = np.minimum(place, ink.round())
        boxes.append((x, y, width, height))
        x += width + gap
    return page, boxes


def _printed(lines: Sequence[str], size: int = 60) -> tuple[Pixels, Boxes]:
    """Lines of text in the font of Pillow, and the bounding boxes of their characters."""
    page = Image.new("L", (size * max(map(len, lines)) + size, 2 * size * len(lines) + size), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    boxes = []
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            x, y = size // 2 + column * size, size // 2 + row * 2 * size
            draw.text((x, y), character, INK, font)
            ink = page.crop((x, y, x + size, y + 2 * size)).point(lambda level: level < PAPER // 2)
            left, top, right, bottom = ink.getbbox() or (0, 0, 0, 0)
            boxes.append((x + left, y + top, right - left, bottom - top))
    return np.asarray(page), boxes


def _png(pixels: Pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def _read(pixels: Pixels, *options: str) -> dict[str, Any]:
    result = run("predict", "--multi", *options, "-", stdin=_png(pixels))
    assert (result.code, result.stderr) == (0, "")
    return result.record


def _check_boxes(record: dict[str, Any], boxes: Boxes, within: int = 4) -> None:
    found = [digit["box"] for digit in record["digits"]]
    np.testing.assert_allclose(found, boxes, atol=within)


def test_a_house_number() -> None:
    pixels, boxes = _written("4071")
    record = _read(pixels)
    assert list(record) == ["text", "digits", "model", "file"]
    assert (record["text"], record["model"], record["file"]) == ("4071", "k_cnn", "-")
    assert [digit["prediction"] for digit in record["digits"]] == [4, 0, 7, 1]
    assert all(digit["probability"] > 90 for digit in record["digits"])
    _check_boxes(record, boxes)


def test_each_digit_has_the_fields_of_a_single_one() -> None:
    single = run("predict", "--scores", SAMPLES / "MNIST-3.png").record
    pixels, _ = _written("38")
    record = _read(pixels, "--scores", "--min-probability", "100")
    for digit in record["digits"]:
        assert set(digit) - {"uncertain"} == set(single) - {"model", "file"} | {"box"}
        assert sum(digit["scores"]) == pytest.approx(1, abs=1e-6)
        assert ("uncertain" in digit) >= (digit["probability"] < 100)


def test_lines_are_read_from_top_to_bottom() -> None:
    pixels, boxes = _printed(["2468", "3057"])
    record = _read(pixels)
    assert record["text"] == "2468\n3057"
    _check_boxes(record, boxes)


def test_dashes_and_dots_are_ignored() -> None:
    pixels, _ = _printed(["24-06.83"])
    assert _read(pixels)["text"] == "240683"


@pytest.mark.parametrize("joined", [False, True])
def test_the_cells_of_a_form(joined: bool) -> None:
    pixels, boxes = _written("5283", gap=60)
    page = Image.fromarray(np.pad(pixels, 40, constant_values=PAPER))
    draw = ImageDraw.Draw(page)
    for x, y, width, height in boxes:
        middle = x + 40 + width / 2
        side = 54 if joined else 46
        cell = (middle - side, y + 40 - 20, middle + side, y + 40 + height + 20)
        draw.rectangle(cell, outline=INK, width=3)
    # An empty cell.
    draw.rectangle((page.width - 50, 50, page.width - 10, page.height - 50), outline=INK, width=3)
    record = _read(np.asarray(page))
    assert record["text"].startswith("5283")
    boxes = [(x + 40, y + 40, width, height) for x, y, width, height in boxes]
    _check_boxes({"digits": record["digits"][:4]}, boxes)


def test_light_on_dark() -> None:
    pixels, boxes = _written("9260")
    record = _read(255 - pixels)
    assert record["text"] == "9260"
    _check_boxes(record, boxes)


@pytest.mark.parametrize("text", ["23", "58", "470"])
def test_digits_that_touch(text: str) -> None:
    pixels, boxes = _written(text, gap=-1)
    record = _read(pixels)
    assert record["text"] == text
    _check_boxes(record, boxes, within=12)


def test_a_row_of_ten_in_uneven_light() -> None:
    pixels, boxes = _written("0123456789")
    height, width = pixels.shape
    light = np.linspace(1.0, 0.45, width) * np.linspace(1.0, 0.8, height)[:, np.newaxis]
    noise = np.random.default_rng(0).normal(0, 4, pixels.shape)
    record = _read(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))
    assert record["text"] == "0123456789"
    _check_boxes(record, boxes)


def test_boxes_are_in_pixels_of_the_original_picture() -> None:
    pixels, boxes = _written("4071")
    large = pixels.repeat(6, axis=0).repeat(6, axis=1)
    record = _read(large)
    assert record["text"] == "4071"
    _check_boxes(record, [(6 * x, 6 * y, 6 * w, 6 * h) for x, y, w, h in boxes], within=24)


@pytest.mark.parametrize("picture", sorted(SAMPLES.glob("*.png")), ids=lambda path: path.stem)
def test_samples(picture: Path) -> None:
    record = run("predict", "--multi", picture).record
    assert record["text"] == picture.stem.rpartition("-")[2]
    assert record["file"] == str(picture)


def test_a_digit_of_mnist_is_read_as_without_multi(digits: Pixels) -> None:
    for pixels in digits[::250]:
        png = _png(pixels)
        [digit] = run("predict", "--multi", "-", stdin=png).record["digits"]
        single = run("predict", "-", stdin=png).record
        for name in ("prediction", "probability", "digitness"):
            assert digit[name] == single[name]


def test_blank() -> None:
    blank = np.full((60, 200), PAPER, np.uint8)
    result = run("predict", "--multi", "-", stdin=_png(blank))
    assert result.code == 3
    assert "no digit in the picture" in result.error
    assert "no digit in the picture" in result.record["error"]


def test_texture_is_rejected() -> None:
    specks = np.where(np.indices((300, 300)).sum(axis=0) % 6 == 0, 0, 255)
    specks[::3] = 255
    result = run("predict", "--multi", "-", stdin=_png(specks.astype(np.uint8)))
    assert result.code == 3
    assert "more than 1,000 separate marks" in result.error


def test_text(tmp_path: Path) -> None:
    pixels, _ = _written("52")
    Image.fromarray(pixels).save(tmp_path / "52.png")
    result = run("predict", "--multi", tmp_path / "52.png", terminal=True)
    first, second, third = result.stdout.splitlines()
    assert "52" in first and "52.png" in first
    assert "5" in second and "%" in second and " at " in second
    assert "2" in third


@pytest.mark.parametrize(
    "options",
    [["--show"], ["--format", "csv"], ["--preprocess", "plain"]],
    ids=lambda each: each[0],
)
def test_options_that_exclude_each_other(options: list[str]) -> None:
    result = run("predict", "--multi", *options, SAMPLES / "MNIST-1.png")
    assert result.code == 2
    assert "--multi" in result.error and options[0] in result.error


def test_over_http(server: Server) -> None:
    pixels, _ = _written("4071")
    record = _read(pixels, "--scores")
    del record["file"]
    path = "/predict?multi=1&scores=1"
    picture = server.ask("POST", path, _png(pixels), Content_Type="image/png")
    assert (picture.status, picture.json) == (200, record)
    array = server.ask("POST", path, json_body={"picArray": pixels.tolist()})
    assert array.json == record
    seen = server.ask("POST", "/predict?multi=1&image=1", _png(pixels), Content_Type="image/png")
    assert all(np.shape(digit["image"]) == (28, 28) for digit in seen.json["digits"])
    assert server.ask("GET", "/?multi=1").json["text"] == "0"


def test_rejected_over_http(server: Server) -> None:
    blank = server.ask("POST", "/predict?multi=1", json_body={"picArray": [[9] * 40] * 40})
    assert blank.status == 400
    assert "no digit in the picture" in blank.error
    plain = server.ask("GET", "/?multi=1&preprocess=plain")
    assert plain.status == 400
    assert "preprocess=plain" in plain.error
