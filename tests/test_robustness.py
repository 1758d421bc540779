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

from rich.console import Console

from benchmarks.robustness import __main__ as bench
from benchmarks.robustness import inputs, printed
from benchmarks.robustness.corruptions import CORRUPTIONS
from benchmarks.robustness.family import NO_DIGIT
from benchmarks.robustness.figures import FamilyResult, auroc, summarize
from benchmarks.robustness.inputs import FAMILIES, REAL_GROUPS, ModelInput
from benchmarks.robustness.table import build_table
from mnist_cli.calibration import Calibration
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


def _values(*numbers: float) -> npt.NDArray[np.float64]:
    return np.array(numbers)


@pytest.mark.parametrize(
    ("positives", "negatives", "area"),
    [
        (_values(0.9, 0.8), _values(0.1, 0.2, 0.3), 1.0),
        (_values(0.1), _values(0.5, 0.9), 0.0),
        (_values(0.5, 0.5), _values(0.5, 0.5, 0.5), 0.5),
        # Five of six pairs are in order, and one is a tie.
        (_values(0.9, 0.8, 0.4), _values(0.1, 0.4), 5.5 / 6),
        (_values(0.2, 0.6), _values(0.4), 0.5),
    ],
)
def test_auroc(
    positives: npt.NDArray[np.float64], negatives: npt.NDArray[np.float64], area: float
) -> None:
    assert auroc(positives, negatives) == pytest.approx(area)
    assert auroc(negatives, positives) == pytest.approx(1 - area)


def test_auroc_is_the_share_of_pairs_in_order() -> None:
    rng = np.random.default_rng(0)
    positives, negatives = rng.integers(2, 12, 70) / 10, rng.integers(0, 9, 90) / 10
    above = positives[:, None] > negatives
    ties = positives[:, None] == negatives
    assert auroc(positives, negatives) == pytest.approx((above + ties / 2).mean())


def _sure(*digits: int) -> Batch:
    """Scores of a confident model, one row per digit; equal scores for -1."""
    return np.vstack([np.eye(10), np.full((1, 10), 0.1)])[list(digits)].astype(np.float32)


def _input(group: str, labels: list[int], found: list[bool], inverted: bool = False) -> ModelInput:
    batch = np.zeros((sum(found), 784), np.float32)
    return ModelInput(group, "some", "auto", inverted, batch, np.array(found), np.array(labels))


def test_a_picture_without_a_found_digit_counts_as_wrong() -> None:
    given = _input("printed", [3, 7, 7, 1], [True, True, False, True])
    answers = FamilyResult(given, _sure(3, 2, 1))
    assert answers.accuracy == 0.5
    np.testing.assert_allclose(answers.digitness, [1, 1, 0, 1])
    nothing = FamilyResult(_input("printed", [3], [False]), np.empty((0, 10), np.float32))
    assert nothing.accuracy == 0
    np.testing.assert_array_equal(nothing.digitness, [0])


class _FakeModel:
    """A model that returns given scores, one batch per family."""

    calibration = Calibration(least_digitness=0.5)

    def __init__(self, *answers: Batch) -> None:
        self.answers = iter(answers)

    def predict_proba(self, batch: Batch) -> Batch:
        scores = next(self.answers)
        assert len(scores) == len(batch)
        return scores


def test_summary_of_a_small_case() -> None:
    every = [True, True]
    families = [
        *[_input(group, [1, 2], every) for group in REAL_GROUPS],
        *[_input(group, [1, 2], every, inverted=True) for group in REAL_GROUPS],
        _input("MNIST-C", [1, 2], every),
        _input("no digit", [NO_DIGIT, NO_DIGIT], every),
    ]
    right, half, flat = _sure(1, 2), _sure(1, 1), _sure(-1, -1)
    model: Any = _FakeModel(right, right, half, right, half, half, half, flat)
    figures = summarize(model, families)
    assert figures["accuracy"] == {
        **{group: {"some": share} for group, share in zip(REAL_GROUPS, (1, 1, 0.5), strict=True)},
        "MNIST-C": {"some": 0.5},
    }
    assert figures["inverted"] == dict(zip(REAL_GROUPS, (0, -0.5, 0), strict=True))
    assert figures["auroc"] == {"some": 1, "overall": 1}
    assert figures["uncertain"] == {"digits": 0, "no digit": 1}
    # Six answers with full confidence, five of them correct.
    assert figures["ece"] == pytest.approx(1 / 6)


def test_every_family_is_generated_from_its_seed(handwriting: Digits, _one_font: None) -> None:
    assert len({(family.group, family.name) for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        if family.count_divisor > 1:  # too slow for a test
            continue
        few, more = (list(family.pictures(handwriting, count)) for count in (2, 3))
        assert (len(few), len(more)) == (2, 3)
        for one, again in zip(few, more, strict=False):
            np.testing.assert_array_equal(one.pixels, again.pixels)
            assert one.label == again.label
        assert not np.array_equal(more[0].pixels, more[2].pixels)
        for picture in more:
            assert picture.pixels.dtype == np.uint8 and picture.pixels.ndim == 2
            assert picture.label in ([NO_DIGIT] if family.group == "no digit" else range(10))


@pytest.mark.parametrize("corruption", CORRUPTIONS, ids=lambda family: family.name)
def test_corruptions_change_images_of_mnist(corruption: Any, handwriting: Digits) -> None:
    images = {bytes(image) for image in handwriting.images}
    for picture in corruption.pictures(handwriting, 5):
        assert picture.pixels.shape == (28, 28)
        assert bytes(picture.pixels) not in images


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
    monkeypatch.setattr(inputs, "ProcessPoolExecutor", lambda mp_context: ThreadPoolExecutor(1))
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
        if family.group == "no digit":
            assert 0 <= figures["auroc"][family.name] <= 1
        else:
            assert family.name in drawn[family.group]
    assert figures["accuracy"]["MNIST"]["unchanged"] == 1
    assert np.mean([*figures["accuracy"]["handwriting"].values()]) > 0.6
    assert figures["auroc"]["overall"] > 0.5
    stream = io.StringIO()
    Console(file=stream, width=100).print(build_table("auto", report["results"]["auto"]))
    assert "MNIST: unchanged" in stream.getvalue() and "100.0" in stream.getvalue()
