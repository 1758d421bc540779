"""The robustness benchmark: its pictures, its figures and a small run."""

import io
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("training", reason="comes with a checkout only")
pytest.importorskip("cv2", reason="needs training/requirements.txt")
pytest.importorskip("matplotlib", reason="needs training/requirements.txt")

from PIL import Image
from rich.console import Console

from benchmarks.robustness import __main__ as bench
from benchmarks.robustness import answers, printed
from benchmarks.robustness.answers import DigitAnswers, NumberAnswers
from benchmarks.robustness.catalogue import FAMILIES, REAL_GROUPS
from benchmarks.robustness.corruptions import CORRUPTIONS
from benchmarks.robustness.family import NO_DIGIT, NUMBER_GROUP, number_picture
from benchmarks.robustness.figures import summarize
from benchmarks.robustness.table import build_table
from mnist_cli import preprocessing
from mnist_cli.api import DigitModel
from mnist_cli.loader import load_model
from mnist_cli.picture import Picture
from mnist_cli.preprocessing import Prepared
from tests.test_evaluate import write_idx
from training.data import Batch, Digits
from training.fonts import Face

STYLES = {"Book": "", "Bold": "-Bold", "Oblique": "-Oblique"}


@pytest.fixture
def handwriting(digits: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> Digits:
    """250 images, 25 of each digit."""
    return Digits(255 - digits[::20], labels[::20])


@pytest.fixture
def _one_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """Print only with the font that is part of Matplotlib, in three styles."""
    import matplotlib

    file = f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans{{}}.ttf"
    faces = [Face("DejaVu Sans", style, file.format(end), 0) for style, end in STYLES.items()]
    monkeypatch.setattr(printed, "installed_faces", lambda split: faces)
    # Without the cache, which may hold other fonts and must keep them.
    monkeypatch.setattr(printed, "_font_families", printed._font_families.__wrapped__)


def _sure(*digits: int) -> Batch:
    """Scores of a confident model, one row per digit; equal scores for -1."""
    return np.vstack([np.eye(10), np.full((1, 10), 0.1)])[list(digits)].astype(np.float32)


def _answers(
    group: str,
    labels: list[int],
    scores: Batch,
    found: list[bool] | None = None,
    inverted: bool = False,
) -> DigitAnswers:
    is_found = np.array(found or [True] * len(labels))
    flat = np.isclose(scores, 0.1).all(axis=1)
    digitness = np.where(is_found & ~flat, 1.0, 0.0)
    return DigitAnswers(
        *("some model", group, "some", "auto", inverted),
        *(np.array(labels), is_found, scores, digitness, digitness < 0.5),
    )


def test_a_picture_without_a_found_digit_counts_as_wrong() -> None:
    scores = _sure(3, 2, 7, 1)
    scores[2] = 0
    found = [True, True, False, True]
    assert _answers("printed", [3, 7, 7, 1], scores, found).accuracy == 0.5
    # The highest of equal scores is that of 0.
    assert _answers("printed", [0, 0, 0, 0], scores * 0, found).accuracy == 0.75


def test_summary_of_a_small_case() -> None:
    right, half, flat = _sure(1, 2), _sure(1, 1), _sure(-1, -1)
    texts = [("53", "153"), ("12\n3", "12\n3")]
    figures = summarize(
        [
            *map(_answers, REAL_GROUPS, [[1, 2]] * 3, (right, right, half)),
            *(
                _answers(group, [1, 2], scores, inverted=True)
                for group, scores in zip(REAL_GROUPS, (right, half, half), strict=True)
            ),
            _answers("MNIST-C", [1, 2], half),
            _answers("no digit", [NO_DIGIT, NO_DIGIT], flat),
            NumberAnswers("some model", "numbers", texts),
        ]
    )
    assert figures["accuracy"] == {
        **{group: {"some": share} for group, share in zip(REAL_GROUPS, (1, 1, 0.5), strict=True)},
        "MNIST-C": {"some": 0.5},
    }
    assert figures["inverted"] == dict(zip(REAL_GROUPS, (0, -0.5, 0), strict=True))
    assert figures["auroc"] == {"some": 1, "overall": 1}
    assert figures["uncertain"] == {"digits": 0, "no digit": 1}
    # Six answers with full confidence, five of them correct.
    assert figures["ece"] == pytest.approx(1 / 6)
    assert figures["numbers"] == {"numbers": {"exact": 0.5, "digit_error": 1 / 5}}


def test_only_digits_of_a_number_count() -> None:
    pixels = np.zeros((3, 4), np.uint8)
    assert number_picture(pixels, "21/03/2018").text == "21032018"
    assert number_picture(pixels, "12\n\n3,025").text == "12\n3025"


def test_all_models_read_the_same_searched_pictures(
    handwriting: Digits, _one_font: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = next(family for family in FAMILIES if family.name == "canvas in a page")
    pictures = list(family.pictures(handwriting, 3))
    searched: list[Any] = []

    def search(picture: Picture, prepared: Prepared) -> Prepared:
        searched.append(picture)
        return preprocessing.search(picture, prepared)

    monkeypatch.setattr(answers, "search", search)
    models = [load_model("t_ffnn"), load_model("k_ffnn")]
    given = answers._read_digits(models, family, pictures, "auto", False)
    assert searched
    assert len(searched) == len(set(map(id, searched)))
    for model, of_model in zip(models, given, strict=True):
        decoded = [Picture(Image.fromarray(picture.pixels)) for picture in pictures]
        for index, digit in enumerate(DigitModel(model).predict_many(decoded)):
            np.testing.assert_allclose(of_model.scores[index], digit.scores, atol=1e-6)
            assert of_model.digitness[index] == pytest.approx(digit.digitness, abs=1e-4)
            assert of_model.uncertain[index] == digit.uncertain


@pytest.mark.slow
def test_every_family_is_generated_from_its_seed(handwriting: Digits, _one_font: None) -> None:
    assert len({(family.group, family.name) for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        if family.count_divisor > 1:  # too slow for a test
            continue
        few, more = (list(family.pictures(handwriting, count)) for count in (2, 3))
        assert (len(few), len(more)) == (2, 3)
        for one, again in zip(few, more, strict=False):
            np.testing.assert_array_equal(one.pixels, again.pixels)
            assert (one.label, one.text) == (again.label, again.text)
        assert not np.array_equal(more[0].pixels, more[2].pixels)
        for picture in more:
            assert picture.pixels.dtype == np.uint8
            assert picture.pixels.ndim == 2 or picture.pixels.shape[2:] == (3,)
            has_label = family.group not in ("no digit", NUMBER_GROUP)
            assert picture.label in (range(10) if has_label else [NO_DIGIT])
            assert bool(picture.text) == (family.group == NUMBER_GROUP)
            assert picture.text.replace("\n", "").isdecimal() or not picture.text


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda family: family.name)
def test_corruptions_change_images_of_mnist(corruption: Any, handwriting: Digits) -> None:
    images = {bytes(image) for image in handwriting.images}
    for picture in corruption.pictures(handwriting, 5):
        assert picture.pixels.shape == (28, 28)
        assert bytes(picture.pixels) not in images


@pytest.mark.slow
def test_a_small_run(
    tmp_path: Path,
    digits: npt.NDArray[np.uint8],
    labels: npt.NDArray[np.int64],
    _one_font: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = write_idx(tmp_path / "mnist", "t10k", digits[::20], labels[::20])
    # In this process, because another one would look for the fonts of the benchmark.
    monkeypatch.setattr(answers, "ProcessPoolExecutor", lambda mp_context: ThreadPoolExecutor(1))
    arguments = [
        "--split",
        "test",
        "--count",
        "3",
        "--model",
        "t_cnn",
        "--json",
        "--data",
        str(data),
    ]
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    bench.main()
    report = json.loads(capsys.readouterr().out)
    assert (report["split"], report["count"], set(report["results"])) == (
        "test",
        3,
        {"plain", "auto"},
    )
    figures = report["results"]["auto"]["t_cnn"]
    drawn = {group: set(families) for group, families in figures["accuracy"].items()}
    for family in FAMILIES:
        if family.group == NUMBER_GROUP:
            numbers = figures["numbers"][family.name]
            assert 0 <= numbers["exact"] <= 1 and numbers["digit_error"] >= 0
        elif family.group == "no digit":
            assert 0 <= figures["auroc"][family.name] <= 1
        else:
            assert family.name in drawn[family.group]
    assert figures["accuracy"]["MNIST"]["unchanged"] == 1
    assert np.mean([*figures["accuracy"]["handwriting"].values()]) > 0.6
    assert figures["auroc"]["overall"] > 0.5
    assert np.mean([family["exact"] for family in figures["numbers"].values()]) > 0.3
    assert not report["results"]["plain"]["t_cnn"]["numbers"]
    stream = io.StringIO()
    Console(file=stream, width=100).print(build_table("auto", report["results"]["auto"]))
    assert "MNIST: unchanged" in stream.getvalue() and "100.0" in stream.getvalue()
    assert "number, exact match: sudoku" in stream.getvalue()
