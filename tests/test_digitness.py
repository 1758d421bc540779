"""Digitness, the `uncertain` flag and the calibration of the models."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageDraw, ImageFont

from mnist_cli.api import DigitModel
from mnist_cli.loader import SHIPPED_MODELS, find_models, load_model
from mnist_cli.picture import Picture
from tests.running import SAMPLES, run
from tests.serving import serving

SEVEN = str(SAMPLES / "MNIST-7.png")
LETTERS = "AEFHKMNRTWXYahkmrwx"


def _model(tmp_path: Path, calibration: Any) -> str:
    """A copy of `t_ffnn` with another calibration."""
    folder = tmp_path / "mine"
    shutil.copytree(SHIPPED_MODELS / "t_ffnn", folder)
    file = folder / "assets.extra" / "calibration.json"
    file.unlink(missing_ok=True)
    if calibration is not None:
        file.write_text(calibration if isinstance(calibration, str) else json.dumps(calibration))
    return str(folder)


def _letter(letter: str) -> bytes:
    picture = Image.new("L", (80, 100), "white")
    ImageDraw.Draw(picture).text((20, 5), letter, font=ImageFont.load_default(70))
    stored = io.BytesIO()
    picture.save(stored, "PNG")
    return stored.getvalue()


def test_the_temperature_divides_the_logits(tmp_path: Path) -> None:
    ten = [str(SAMPLES / f"MNIST-{digit}.png") for digit in range(10)]
    # The detector does not take part.
    options = ("predict", "--scores", "--preprocess", "plain")
    plain = run(*options, "--model", _model(tmp_path / "1", None), *ten).records
    warm = {"temperature": 2.0}
    warmed = run(*options, "--model", _model(tmp_path / "2", warm), *ten).records
    before, after = (
        np.array([record["scores"] for record in records]) for records in (plain, warmed)
    )
    expected = np.sqrt(before)
    np.testing.assert_allclose(after, expected / expected.sum(1, keepdims=True), atol=1e-6)
    for first, second in zip(plain, warmed, strict=True):
        assert first["digitness"] >= second["digitness"]


@pytest.mark.parametrize(
    "calibration",
    [
        None,
        "",
        "{",
        "[]",
        {},
        {"temperature": "2"},
        {"temperature": 0},
        {"temperature": -1},
        {"temperature": 1e-50},
        {"temperature": 10**400},
    ],
)
def test_without_a_calibration_nothing_changes(tmp_path: Path, calibration: Any) -> None:
    scores = run("predict", "--scores", "--model", _model(tmp_path / "1", None), SEVEN).record
    again = run("predict", "--scores", "--model", _model(tmp_path / "2", calibration), SEVEN).record
    assert scores == again
    assert "uncertain" not in again


def test_below_the_least_digitness_all_say_uncertain(tmp_path: Path) -> None:
    model = _model(tmp_path, {"least_digitness": 1})
    assert run("predict", "--model", model, SEVEN).record["uncertain"] is True
    assert "uncertain" in run("predict", "--model", model, "--format", "text", SEVEN).stdout
    csv = run("predict", "--model", model, "--format", "csv", SEVEN).stdout
    header, row = csv.splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["uncertain"] == "True"
    [batch] = run("predict-batch", "--model", model, SEVEN).records
    assert batch["uncertain"] is True
    with serving("--model", model) as server:
        answer = server.ask("GET", "/").json
    assert answer["uncertain"] is True
    assert 0 <= answer["digitness"] <= 1


@pytest.mark.slow
@pytest.mark.parametrize("name", [model.name for model in find_models()])
def test_99_percent_of_mnist_are_certain(name: str, digits: npt.NDArray[np.uint8]) -> None:
    answers = DigitModel(load_model(name)).predict_many(map(Picture.from_pixels, digits))
    assert 0 < np.mean([answer.uncertain for answer in answers]) <= 0.01


def _scribble(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    draw.line([tuple(point) for point in rng.integers(15, 145, (20, 2)).tolist()], 0, 4)


def _face(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    size = int(rng.integers(45, 60))
    draw.ellipse((80 - size, 80 - size, 80 + size, 80 + size), outline=0, width=5)
    for x in (60, 100):
        draw.ellipse((x - 5, 60, x + 5, 70), fill=0)
    draw.arc((55, 60, 105, 110), 20, 160, 0, 5)


def _pair(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    draw.text((25, 20), f"{rng.integers(10, 100)}", 0, ImageFont.load_default(90))


def _noise(draw: ImageDraw.ImageDraw, rng: np.random.Generator) -> None:
    for x, y in np.ndindex(40, 40):
        draw.rectangle((4 * x, 4 * y, 4 * x + 3, 4 * y + 3), int(rng.integers(256)))


@pytest.mark.parametrize("drawn", [_scribble, _face, _pair, _noise])
def test_other_pictures_are_uncertain_or_rejected(drawn: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    files = [tmp_path / f"{index:02}.png" for index in range(20)]
    for file in files:
        picture = Image.new("L", (160, 160), "white")
        drawn(ImageDraw.Draw(picture), rng)
        picture.save(file)
    records = run("predict-batch", *files).records
    assert np.mean([bool(record["uncertain"] or record["error"]) for record in records]) > 0.7


def test_a_letter_is_uncertain_and_a_digit_is_not(tmp_path: Path) -> None:
    files = []
    for index, letter in enumerate(LETTERS):
        files.append(tmp_path / f"{index}.png")
        files[-1].write_bytes(_letter(letter))
    letters = run("predict", *map(str, files)).records
    digits = run("predict", *(str(SAMPLES / f"MNIST-{digit}.png") for digit in range(10))).records
    assert np.mean([record.get("uncertain", False) for record in letters]) > 0.7
    assert not any("uncertain" in record for record in digits)
    assert max(record["digitness"] for record in letters) < 1
