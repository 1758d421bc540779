"""Evaluates a model on labelled images: accuracy, calibration error, confusion and mistakes."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mnist_cli import images, input_files
from mnist_cli.errors import InputError, NoDigitError
from mnist_cli.formats import MAX_START_BYTES
from mnist_cli.idx import is_idx_folder, read_split
from mnist_cli.loader import Model
from mnist_cli.option_types import MNIST_TEST_SET_URL, Preprocess
from mnist_cli.picture import Picture
from mnist_cli.picture_files import is_picture_file
from mnist_cli.prediction import Digit
from mnist_cli.recognition import NamedPicture, read_pictures
from mnist_cli.records import EvaluationRecord
from mnist_cli.runtimes import Scores

MAX_MISTAKES = 10
BATCH_PICTURES = 1_000  # pictures between two updates of the progress bar
RELIABILITY_BINS = 15  # as in Guo et al. 2017

Labels = npt.NDArray[np.int64]
"""int64 [N], the digits 0 to 9."""
Sums = npt.NDArray[np.float64]
"""float64 [RELIABILITY_BINS]."""


@dataclass(frozen=True)
class Dataset:
    """Labelled pictures; returned by `read_dataset`."""

    source: str
    """The folder that was read."""
    labels: Labels
    names: list[str]
    """The file of each picture, or the IDX file and the position of the picture in it."""
    load: Callable[[int], Picture]
    """Reads the picture at an index."""

    def part(self, indices: Sequence[int]) -> "Dataset":
        """Return the pictures at these indices."""
        return Dataset(
            self.source,
            self.labels[list(indices)],
            [self.names[index] for index in indices],
            lambda index: self.load(indices[index]),
        )


@dataclass(frozen=True)
class Evaluation:
    """The predictions of a model for a data set; returned by `evaluate`."""

    model: str
    dataset: Dataset
    """The pictures in which a digit was found."""
    scores: Scores
    images: npt.NDArray[np.float32]
    """float32 [N, 28, 28], what the model read: 0 black to 255 white."""
    without_digit: Dataset
    """The pictures in which no digit was found; they count as misread."""

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """The confusion matrix, int64 [10, 10]: images by digit (row) and prediction (column)."""
        pairs = 10 * self.dataset.labels + self.scores.argmax(axis=1)
        return np.bincount(pairs, minlength=100).reshape(10, 10)

    @property
    def mistakes(self) -> list[int]:
        """The indices of the misread images, the most confident prediction first."""
        wrong = np.flatnonzero(self.scores.argmax(axis=1) != self.dataset.labels)
        order = np.argsort(-self.scores[wrong].max(axis=1), kind="stable")
        return [int(index) for index in wrong[order]]

    @property
    def record(self) -> EvaluationRecord:
        """The metrics as a public record."""
        missed = np.bincount(self.without_digit.labels, minlength=10)
        totals, correct = self.confusion.sum(axis=1) + missed, self.confusion.diagonal()
        return {
            "model": self.model,
            "data": self.dataset.source,
            "images": int(totals.sum()),
            "accuracy": float(correct.sum() / totals.sum()),
            "ece": calibration_error(self.scores, self.dataset.labels),
            "recall": [
                float(count / total) if total else None
                for count, total in zip(correct, totals, strict=True)
            ],
            "confusion": self.confusion.tolist(),
            "mistakes": [
                {
                    "file": self.dataset.names[index],
                    "digit": int(self.dataset.labels[index]),
                    "prediction": int(self.scores[index].argmax()),
                    "probability": round(100 * float(self.scores[index].max()), 2),
                }
                for index in self.mistakes[:MAX_MISTAKES]
            ],
            "no_digit": self.without_digit.names,
        }


def evaluate(
    model: Model,
    dataset: Dataset,
    on_progress: Callable[[int], None] = lambda count: None,
    preprocess: Preprocess = "auto",
) -> Evaluation:
    """Predict every picture of a data set; `on_progress` gets the size of each finished batch.

    Raises:
        InputError: a picture cannot be read, or none shows a digit.
    """
    digits: dict[int, Digit] = {}
    for start in range(0, len(dataset.labels), BATCH_PICTURES):
        batch = range(start, min(start + BATCH_PICTURES, len(dataset.labels)))
        pictures = [
            NamedPicture(dataset.names[index], functools.partial(dataset.load, index))
            for index in batch
        ]
        for index, digit in zip(batch, read_pictures(model, pictures, preprocess), strict=True):
            if isinstance(digit, Digit):
                digits[index] = digit
            elif not isinstance(digit, NoDigitError):
                raise digit
        on_progress(len(batch))
    if not digits:
        raise InputError(f"{dataset.source}: no digit in any picture")
    return Evaluation(
        model.name,
        dataset.part([*digits]),
        np.array([digit.scores for digit in digits.values()], np.float32),
        np.array([digit.image for digit in digits.values()], np.float32),
        dataset.part([index for index in range(len(dataset.labels)) if index not in digits]),
    )


def read_dataset(folder: Path) -> Dataset:
    """Read the test set of MNIST from its IDX files, or pictures from subfolders `0` to `9`.

    Raises:
        InputError: the folder is missing or contains neither, or a file in it cannot be read.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder")
    if is_idx_folder(folder):
        pixels, labels = read_split(folder, "t10k")
        names = [f"t10k-images-idx3-ubyte[{index}]" for index in range(len(labels))]
        return Dataset(
            str(folder), labels, names, lambda index: Picture.from_pixels(255 - pixels[index])
        )
    return _read_digit_folders(folder)


def accuracy(scores: Scores, labels: Labels) -> float:
    """The fraction of images whose highest score is that of the true digit."""
    return float((scores.argmax(axis=1) == labels).mean())


def calibration_error(scores: Scores, labels: Labels) -> float:
    """The expected calibration error (ECE), from 0 (perfectly calibrated) to 1.

    The mean difference between confidence and accuracy over bins of confidence, weighted by the
    number of images: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks"
    (ICML 2017), equation 3.
    """
    counts, confidence, correct = reliability_bins(scores, labels)
    return float(np.abs(confidence - correct).sum() / counts.sum())


def reliability_bins(scores: Scores, labels: Labels) -> tuple[Sums, Sums, Sums]:
    """Group predictions into bins of confidence of equal width.

    Returns:
        For each bin the number of images, the sum of their confidences and the number of correct
        predictions.
    """
    confidence = scores.max(axis=1).astype(np.float64)
    correct = (scores.argmax(axis=1) == labels).astype(np.float64)
    # The bins are open on the left, as in the paper. A float32 score may slightly exceed 1.
    index = np.ceil(confidence * RELIABILITY_BINS).astype(int) - 1
    index = np.clip(index, 0, RELIABILITY_BINS - 1)
    counts, confidences, hits = (
        np.bincount(index, values, minlength=RELIABILITY_BINS).astype(np.float64)
        for values in (np.ones_like(confidence), confidence, correct)
    )
    return counts, confidences, hits


def _read_digit_folders(folder: Path) -> Dataset:
    files = [
        (digit, str(file))
        for digit in range(10)
        for file in sorted((folder / str(digit)).glob("*"))
        if not file.name.startswith(".") and _may_be_picture(file)
    ]
    if not files:
        raise InputError(
            f"{folder}: no pictures found; expected the IDX files of MNIST or subfolders 0 to 9 "
            "with pictures",
            f"download the test set into it with: curl -O '{MNIST_TEST_SET_URL}'",
        )

    def load(index: int) -> Picture:
        return images.decode_silently(input_files.load_regular(files[index][1]))

    labels = np.array([digit for digit, _ in files], np.int64)
    return Dataset(str(folder), labels, [file for _, file in files], load)


def _may_be_picture(file: Path) -> bool:
    """Whether a file is to be read: files such as `Thumbs.db` and folders are left out."""
    if is_picture_file(file.name, b""):
        return True
    if not file.is_file():
        return False
    try:
        with file.open("rb") as start:
            return is_picture_file(file.name, start.read(MAX_START_BYTES))
    except OSError:  # reported when it is read
        return True
