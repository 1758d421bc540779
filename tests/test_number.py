"""Numbers: `mnist predict --multi` and `?multi=1` of the server."""

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.geometry import Box, iou
from tests.drawing import INK, PAPER, Boxes, png, printed, written
from tests.running import SAMPLES, run
from tests.serving import Server


def _read(pixels: Gray, *options: str) -> dict[str, Any]:
    result = run("predict", "--multi", *options, "-", stdin=png(pixels))
    assert (result.code, result.stderr) == (0, "")
    return result.record


def _check_boxes(record: dict[str, Any], boxes: Boxes, least_overlap: float = 0.75) -> None:
    """Check that the boxes of the digits are about those of their ink."""
    found = [digit["box"] for digit in record["digits"]]
    assert len(found) == len(boxes)
    for one, other in zip(found, boxes, strict=True):
        assert iou(Box(*one), Box(*other)) > least_overlap, (one, other)


def test_a_house_number() -> None:
    pixels, boxes = written("4071")
    record = _read(pixels)
    assert list(record) == ["text", "digits", "model", "probability", "file"]
    assert (record["text"], record["model"], record["file"]) == ("4071", "k_cnn", "-")
    assert [digit["prediction"] for digit in record["digits"]] == [4, 0, 7, 1]
    assert all(digit["probability"] > 90 for digit in record["digits"])
    product = np.prod([digit["probability"] / 100 for digit in record["digits"]])
    assert record["probability"] == pytest.approx(100 * product, abs=0.01)
    _check_boxes(record, boxes)


def test_each_digit_has_the_fields_of_a_single_one() -> None:
    single = run("predict", "--scores", SAMPLES / "MNIST-3.png").record
    pixels, _ = written("38")
    record = _read(pixels, "--scores", "--min-probability", "100")
    for digit in record["digits"]:
        assert set(digit) - {"uncertain"} == set(single) - {"model", "file"}
        assert sum(digit["scores"]) == pytest.approx(1, abs=1e-6)
        assert ("uncertain" in digit) >= (digit["probability"] < 100)


def test_lines_are_read_from_top_to_bottom() -> None:
    pixels, boxes = printed(["2468", "3057"])
    record = _read(pixels)
    assert record["text"] == "2468\n3057"
    _check_boxes(record, boxes)


def test_dashes_and_dots_are_ignored() -> None:
    pixels, _ = printed(["24-06.83"])
    assert _read(pixels)["text"] == "240683"


@pytest.mark.parametrize("joined", [False, True])
def test_the_cells_of_a_form(joined: bool) -> None:
    pixels, boxes = written("5283", gap=60)
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
    pixels, boxes = written("9260")
    record = _read(255 - pixels)
    assert record["text"] == "9260"
    _check_boxes(record, boxes)


@pytest.mark.parametrize("text", ["23", "58", "470"])
def test_digits_that_touch(text: str) -> None:
    pixels, boxes = written(text, gap=-1)
    record = _read(pixels)
    assert record["text"] == text
    _check_boxes(record, boxes, least_overlap=0.6)


def test_a_row_of_ten_in_uneven_light() -> None:
    pixels, boxes = written("0123456789")
    height, width = pixels.shape
    light = np.linspace(1.0, 0.45, width) * np.linspace(1.0, 0.8, height)[:, np.newaxis]
    noise = np.random.default_rng(0).normal(0, 4, pixels.shape)
    record = _read(np.clip(pixels * light + noise, 0, 255).astype(np.uint8))
    assert record["text"] == "0123456789"
    _check_boxes(record, boxes)


def test_boxes_are_in_pixels_of_the_original_picture() -> None:
    pixels, boxes = written("4071")
    large = pixels.repeat(6, axis=0).repeat(6, axis=1)
    record = _read(large)
    assert record["text"] == "4071"
    _check_boxes(record, [(6 * x, 6 * y, 6 * w, 6 * h) for x, y, w, h in boxes])


@pytest.mark.parametrize("picture", sorted(SAMPLES.glob("*.png")), ids=lambda path: path.stem)
def test_samples(picture: Path) -> None:
    record = run("predict", "--multi", picture).record
    assert record["text"] == picture.stem.rpartition("-")[2]
    assert record["file"] == str(picture)


def test_a_digit_of_mnist_is_read_as_without_multi(digits: Gray) -> None:
    same = 0
    for pixels in digits[::250]:
        found = run("predict", "--multi", "-", stdin=png(pixels)).record["digits"]
        single = run("predict", "-", stdin=png(pixels)).record
        same += [digit["prediction"] for digit in found] == [single["prediction"]]
    assert same >= 19


def test_a_number_is_uncertain_if_a_digit_is() -> None:
    pixels, _ = written("4071")
    record = _read(pixels, "--min-probability", "100")
    uncertain = ["uncertain" in digit for digit in record["digits"]]
    assert any(uncertain)
    assert uncertain == [digit["probability"] < 100 for digit in record["digits"]]
    assert record["uncertain"]


@pytest.mark.parametrize("level", [0, 128, PAPER])
def test_a_picture_without_digits_is_an_empty_text(level: int) -> None:
    record = _read(np.full((60, 200), level, np.uint8))
    assert record == {"text": "", "digits": [], "model": "k_cnn", "file": "-"}


def test_text(tmp_path: Path) -> None:
    pixels, _ = written("52")
    Image.fromarray(pixels).save(tmp_path / "52.png")
    result = run("predict", "--multi", tmp_path / "52.png", terminal=True)
    first, second, third = result.stdout.splitlines()
    assert "52" in first and "52.png" in first
    assert "5" in second and "%" in second and " at " in second
    assert "2" in third


def test_csv_has_a_row_for_each_picture(tmp_path: Path) -> None:
    pixels, _ = printed(["2468", "3057"])
    Image.fromarray(pixels).save(tmp_path / "two.png")
    Image.new("L", (60, 60), PAPER).save(tmp_path / "blank.png")
    files = [str(tmp_path / name) for name in ("two.png", "blank.png", "none.png")]
    result = run("predict", "--multi", "--format", "csv", *files)
    assert result.code == 3
    two, blank, missing = csv.DictReader(io.StringIO(result.stdout))
    assert list(two) == ["file", "text", "probability", "model", "uncertain", "error"]
    assert [row["file"] for row in (two, blank, missing)] == files
    assert (two["text"], two["model"], two["error"]) == ("2468\n3057", "k_cnn", "")
    [record] = run("predict", "--multi", files[0]).records
    assert float(two["probability"]) == record["probability"]
    assert (blank["text"], blank["probability"], blank["error"]) == ("", "", "")
    assert missing["error"].startswith("no such file")


def test_show_draws_each_digit() -> None:
    result = run("predict", "--multi", "--show", SAMPLES / "house-number-407.png")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("407 ")
    starts = [line for line in lines if " at " in line]
    assert [line[0] for line in starts] == ["4", "0", "7"]
    assert len(lines) == 1 + 3 * (1 + 14)
    for digit, start in zip((4, 0, 7), starts, strict=True):
        drawing = lines[lines.index(start) + 1 :][:14]
        [best] = [line[28:].split()[0] for line in drawing if "█" * 25 in line]
        assert best == str(digit)


@pytest.mark.parametrize(
    "options",
    [["--preprocess", "plain"], ["--scores", "--format", "csv"]],
    ids=lambda each: each[0],
)
def test_options_that_exclude_each_other(options: list[str]) -> None:
    result = run("predict", "--multi", *options, SAMPLES / "MNIST-1.png")
    assert result.code == 2
    assert "--multi" in result.error and options[0] in result.error


def test_over_http(server: Server) -> None:
    pixels, _ = written("4071")
    record = _read(pixels, "--scores")
    del record["file"]
    path = "/predict?multi=1&scores=1"
    picture = server.ask("POST", path, png(pixels), Content_Type="image/png")
    assert (picture.status, picture.json) == (200, record)
    array = server.ask("POST", path, json_body={"picArray": pixels.tolist()})
    assert array.json == record
    seen = server.ask("POST", "/predict?multi=1&image=1", png(pixels), Content_Type="image/png")
    assert all(np.shape(digit["image"]) == (28, 28) for digit in seen.json["digits"])
    assert server.ask("GET", "/?multi=1").json["text"] == "0"


def test_no_digits_over_http(server: Server) -> None:
    blank = server.ask("POST", "/predict?multi=1", json_body={"picArray": [[9] * 40] * 40})
    assert (blank.status, blank.json["text"], blank.json["digits"]) == (200, "", [])


def test_rejected_over_http(server: Server) -> None:
    plain = server.ask("GET", "/?multi=1&preprocess=plain")
    assert plain.status == 400
    assert "preprocess=plain" in plain.error
