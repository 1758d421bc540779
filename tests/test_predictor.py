"""Records that a `Predictor` returns for pixels and files."""

import dataclasses
import io
import math
from pathlib import Path

import numpy as np
import pytest

from mnist_cli import loader
from mnist_cli.api import DigitModel, load_model
from mnist_cli.errors import InputError
from mnist_cli.images import decode
from mnist_cli.picture import Picture
from mnist_cli.predictor import Predictor
from mnist_cli.reshape import to_model_input
from tests.running import SAMPLES

SEVEN = SAMPLES / "MNIST-7.png"
HOUSE_NUMBER = SAMPLES / "house-number-407.png"


@pytest.fixture(scope="module")
def model() -> DigitModel:
    return load_model("t_ffnn")


def test_one_digit(model: DigitModel) -> None:
    record = Predictor(model).predict(decode(SEVEN.read_bytes()))
    assert set(record) == {"prediction", "probability", "digitness", "model", "box"}
    assert (record["prediction"], record["model"]) == (7, "t_ffnn")


def test_options_add_fields(model: DigitModel) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    predictor = Predictor(model, "plain", scores=True, image=True)
    record = predictor.predict(Picture.from_pixels(pixels))
    expected = loader.load_model("t_ffnn").predict_proba(to_model_input([pixels]))
    np.testing.assert_allclose(record["scores"], expected[0], atol=1e-6)
    assert record["image"] == pixels.tolist()


@pytest.mark.parametrize(("percent", "uncertain"), [(89.99, True), (90.0, False)])
def test_min_probability(model: DigitModel, percent: float, uncertain: bool) -> None:
    digit = dataclasses.replace(model.predict(SEVEN), probability=percent, uncertain=False)
    record = Predictor(model, min_probability=90).record(digit)
    assert ("uncertain" in record) == uncertain


def test_several_digits(model: DigitModel) -> None:
    record = Predictor(model, scores=True, image=True).predict_all(
        decode(HOUSE_NUMBER.read_bytes())
    )
    assert set(record) - {"uncertain"} == {"text", "digits", "model", "probability"}
    assert record["text"] == "407"
    product = math.prod(digit["probability"] / 100 for digit in record["digits"])
    assert record["probability"] == pytest.approx(100 * product, abs=0.006)
    assert ("uncertain" in record) == any("uncertain" in digit for digit in record["digits"])
    for digit in record["digits"]:
        assert len(digit["scores"]) == 10
        assert np.shape(digit["image"]) == (28, 28)


def test_a_number_is_as_uncertain_as_its_digits(model: DigitModel) -> None:
    large = decode(HOUSE_NUMBER.read_bytes()).image
    small = Picture(large.resize((large.width // 18, large.height // 18)))  # hard to read
    record = Predictor(model, min_probability=100).predict_all(small)
    uncertain = [digit["probability"] < 100 or "uncertain" in digit for digit in record["digits"]]
    assert any(uncertain)
    assert [digit.get("uncertain", False) for digit in record["digits"]] == uncertain
    assert record.get("uncertain", False) == any(uncertain)


def test_a_blank_picture_has_no_digit(model: DigitModel) -> None:
    blank = Picture.from_pixels(np.full((50, 50), 255, np.uint8))
    with pytest.raises(InputError, match="no digit"):
        Predictor(model).predict(blank)
    record = Predictor(model).predict_all(blank)
    assert dict(record) == {"text": "", "digits": [], "model": "t_ffnn"}


def test_files(model: DigitModel, tmp_path: Path) -> None:
    predictor = Predictor(model)
    stdin = io.BytesIO(SEVEN.read_bytes())
    record = predictor.predict_file("-", stdin)
    assert record == {**predictor.predict_file(str(SEVEN), io.BytesIO()), "file": "-"}
    several = predictor.predict_file(str(HOUSE_NUMBER), io.BytesIO(), multi=True)
    assert "text" in several and several["file"] == str(HOUSE_NUMBER)
    missing = str(tmp_path / "none.png")
    for multi in (False, True):
        error = predictor.predict_file(missing, io.BytesIO(), multi=multi)
        assert set(error) == {"file", "error"}
        assert error["file"] == missing
