"""Metrics and data sets of `mnist_cli.evaluation`, against definitions and hand-computed values."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mnist_cli.calibration import Calibration
from mnist_cli.errors import InputError
from mnist_cli.evaluation import (
    BATCH_PICTURES,
    MAX_MISTAKES,
    Dataset,
    Evaluation,
    accuracy,
    calibration_error,
    evaluate,
    read_dataset,
    reliability_bins,
)
from mnist_cli.loader import load_model
from mnist_cli.picture import Picture
from mnist_cli.runtimes import Batch, Scores
from tests.models import fake_model
from tests.running import SAMPLES

FIRST_PIXEL = 4 * 28 + 8  # of the foreground in `normalized`


class FakeRuntime:
    """Predicts the digit that `FIRST_PIXEL` contains, in tenths."""

    name = "fake"

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def predict_proba(self, batch: Batch) -> Scores:
        self.sizes.append(len(batch))
        return np.asarray(np.eye(10)[(10 * batch[:, FIRST_PIXEL]).round().astype(int)], np.float32)


def dataset(labels: npt.NDArray[np.int64]) -> Dataset:
    """Pictures that `FakeRuntime` reads rightly."""
    names = [f"{index}.png" for index in range(len(labels))]

    def load(index: int) -> Picture:
        return Picture.from_pixels(normalized(int(labels[index])))

    return Dataset("data", labels, names, load)


def normalized(digit: int) -> npt.NDArray[np.float64]:
    """An image that is normalized as in MNIST; its first pixel contains a digit."""
    image = np.full((28, 28), 255.0)
    image[4:24, 8:20] = 0
    image.flat[FIRST_PIXEL] = 255 - 25 * digit
    return image


def evaluation_of(labels: npt.NDArray[np.int64], scores: Scores) -> Evaluation:
    """An evaluation in which a digit was found in every picture."""
    data, images = dataset(labels), np.zeros((len(scores), 28, 28), np.float32)
    return Evaluation("mine", data, scores, images, data.part([]))


def one_score(prediction: int, confidence: float) -> list[float]:
    """The scores of a prediction with this confidence; the other digits share the rest."""
    return [confidence if digit == prediction else (1 - confidence) / 9 for digit in range(10)]


# Two predictions in the bin (0.8, 0.867], one in (0.533, 0.6], one in the last bin.
SCORES = np.array(
    [one_score(1, 0.85), one_score(2, 0.85), one_score(3, 0.55), one_score(4, 1.0)], np.float32
)
LABELS = np.array([1, 0, 0, 4])


def test_accuracy() -> None:
    assert accuracy(SCORES, LABELS) == 0.5


def test_calibration_error_by_hand() -> None:
    # |1 of 2 correct - 0.85| in a bin of two images, |0 - 0.55| in one and |1 - 1| in one.
    assert calibration_error(SCORES, LABELS) == pytest.approx((2 * 0.35 + 0.55 + 0) / 4, abs=1e-6)


def test_calibration_error_is_0_for_a_calibrated_and_1_for_a_wrong_model() -> None:
    perfect = np.eye(10, dtype=np.float32)
    assert calibration_error(perfect, np.arange(10)) == 0
    assert calibration_error(perfect, (np.arange(10) + 1) % 10) == 1


def test_calibration_error_by_definition() -> None:
    random = np.random.default_rng(0)
    scores = random.dirichlet(np.full(10, 0.2), 500).astype(np.float32)
    labels = random.integers(0, 10, 500)
    confidence, hits = scores.max(axis=1), scores.argmax(axis=1) == labels
    expected = 0.0
    for bin in range(15):
        inside = (confidence > bin / 15) & (confidence <= (bin + 1) / 15)
        if inside.any():
            gap = abs(hits[inside].mean() - confidence[inside].mean())
            expected += inside.mean() * gap
    assert calibration_error(scores, labels) == pytest.approx(expected, abs=1e-6)


def test_reliability_bins() -> None:
    counts, confidence, correct = reliability_bins(SCORES, LABELS)
    assert {int(bin): counts[bin] for bin in np.flatnonzero(counts)} == {8: 1, 12: 2, 14: 1}
    np.testing.assert_allclose(confidence[[8, 12, 14]], [0.55, 1.7, 1.0], atol=1e-6)
    assert correct[[8, 12, 14]].tolist() == [0, 1, 1]


def test_a_score_slightly_above_1_is_in_the_last_bin() -> None:
    scores = np.array([one_score(0, 1.0)], np.float32)
    scores[0, 0] = np.nextafter(np.float32(1), np.float32(2))
    assert reliability_bins(scores, np.array([0]))[0][14] == 1


def test_the_confusion_matrix_counts_pairs() -> None:
    random = np.random.default_rng(1)
    labels, predictions = random.integers(0, 10, 200), random.integers(0, 10, 200)
    expected = np.zeros((10, 10), int)
    for label, prediction in zip(labels, predictions, strict=True):
        expected[label, prediction] += 1
    scores = np.eye(10, dtype=np.float32)[predictions]
    assert evaluation_of(labels, scores).confusion.tolist() == expected.tolist()


def test_the_record() -> None:
    record = evaluation_of(LABELS, SCORES).record
    assert (record["model"], record["data"], record["images"]) == ("mine", "data", 4)
    assert record["accuracy"] == 0.5
    assert record["recall"] == [0.0, 1.0, None, None, 1.0, *[None] * 5]
    assert record["mistakes"] == [
        {"file": "1.png", "digit": 0, "prediction": 2, "probability": 85.0},
        {"file": "2.png", "digit": 0, "prediction": 3, "probability": 55.0},
    ]


def test_a_record_has_a_limited_number_of_mistakes() -> None:
    labels = np.zeros(50, np.int64)
    scores = np.array([one_score(1, 0.5 + index / 100) for index in range(50)], np.float32)
    evaluation = evaluation_of(labels, scores)
    assert evaluation.mistakes == list(range(49, -1, -1))
    files = [mistake["file"] for mistake in evaluation.record["mistakes"]]
    assert files == [f"{index}.png" for index in range(49, 49 - MAX_MISTAKES, -1)]


def test_evaluate_reports_progress_for_each_batch() -> None:
    labels = np.arange(2 * BATCH_PICTURES + 5) % 10
    data = dataset(labels)
    runtime, progress = FakeRuntime(), list[int]()
    evaluation = evaluate(fake_model(runtime, Calibration()), data, progress.append)
    assert progress == runtime.sizes == [BATCH_PICTURES, BATCH_PICTURES, 5]
    assert evaluation.record["accuracy"] == 1
    assert evaluation.model == "fake"
    for index in (0, 7, len(labels) - 1):
        np.testing.assert_array_equal(evaluation.images[index], normalized(int(labels[index])))


def test_read_dataset_from_subfolders(tmp_path: Path) -> None:
    for digit in (3, 7):
        (tmp_path / str(digit)).mkdir()
        content = (SAMPLES / f"MNIST-{digit}.png").read_bytes()
        (tmp_path / str(digit) / "a.png").write_bytes(content)
    data = read_dataset(tmp_path)
    assert (data.source, data.labels.tolist()) == (str(tmp_path), [3, 7])
    assert data.names == [str(tmp_path / digit / "a.png") for digit in "37"]
    for index, name in enumerate(("MNIST-3.png", "MNIST-7.png")):
        expected = np.asarray(Image.open(SAMPLES / name))
        np.testing.assert_array_equal(data.load(index).gray, expected)


def test_an_unreadable_picture_is_named(tmp_path: Path) -> None:
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "a.png").write_text("not a picture")
    with pytest.raises(InputError, match=r"a\.png: not a picture"):
        evaluate(load_model("t_ffnn"), read_dataset(tmp_path))


def test_read_dataset_from_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures found"):
        read_dataset(tmp_path)
