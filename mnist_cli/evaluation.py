"""How good a model is: its answers to pictures whose digits are known, counted.

The pictures are MNIST's own files or a folder for each digit.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mnist_cli.errors import InputError
from mnist_cli.idx import is_idx_folder, read_split
from mnist_cli.records import EvaluationRecord

MAX_MISTAKES = 10
CHUNK_IMAGES = 1_000  # pictures between two signs of progress

Batch = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Scores = npt.NDArray[np.float32]
"""float32 [N, 10], each row sums to 1."""
Sums = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Dataset:
    """Pictures whose digits are known."""

    batch: Batch
    """float32 [N, 784], ink 1.0 and paper 0.0."""
    labels: Labels
    """int64 [N], 0 to 9."""
    names: list[str]
    """Where each picture is found."""


@dataclass(frozen=True)
class Evaluation:
    """The answers of a model to pictures whose digits are known."""

    dataset: Dataset
    scores: Scores

    @property
    def confusion(self) -> npt.NDArray[np.int64]:
        """How often a digit (row) was read as another (column) [10, 10]."""
        pairs = 10 * self.dataset.labels + self.scores.argmax(axis=1)
        return np.bincount(pairs, minlength=100).reshape(10, 10)

    @property
    def mistakes(self) -> list[int]:
        """The indices of the pictures that were misread, the most confident answer first."""
        wrong = np.flatnonzero(self.scores.argmax(axis=1) != self.dataset.labels)
        order = np.argsort(-self.scores[wrong].max(axis=1), kind="stable")
        return [int(index) for index in wrong[order]]

    def record(self, *, model: str, data: str) -> EvaluationRecord:
        """The figures as a record of this model on this data."""
        totals, correct = self.confusion.sum(axis=1), self.confusion.diagonal()
        return {
            "model": model,
            "data": data,
            "images": len(self.dataset.labels),
            "accuracy": accuracy(self.scores, self.dataset.labels),
            "ece": calibration_error(self.scores, self.dataset.labels),
            "recall": [
                float(hits / total) if total else None
                for hits, total in zip(correct, totals, strict=True)
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
        }


def evaluate(
    predict_proba: Callable[[Batch], Scores],
    dataset: Dataset,
    on_progress: Callable[[int], None] = lambda count: None,
) -> Evaluation:
    """Let a model read all pictures; `on_progress` hears of each portion that is done."""
    parts = []
    for start in range(0, len(dataset.batch), CHUNK_IMAGES):
        parts.append(predict_proba(dataset.batch[start : start + CHUNK_IMAGES]))
        on_progress(len(parts[-1]))
    return Evaluation(dataset, np.concatenate(parts))


def read_dataset(folder: Path) -> Dataset:
    """Read a folder: the test set of MNIST in its IDX files, or else a sub-folder for each digit.

    Raises:
        InputError: it is neither, or a file in it cannot be read.
    """
    if is_idx_folder(folder):
        images, labels = read_split(folder, "t10k")
        names = [f"t10k-images-idx3-ubyte[{index}]" for index in range(len(images))]
        return Dataset(as_input(images), labels, names)
    return _read_digit_folders(folder)


def as_input(images: npt.NDArray[np.uint8]) -> Batch:
    """Turn images of MNIST, uint8 [N, 28, 28] with ink 255, into what a model takes."""
    return images.reshape(len(images), 784).astype(np.float32) / np.float32(255)


def accuracy(scores: Scores, labels: Labels) -> float:
    """The fraction of pictures whose highest score is at the true digit."""
    return float((scores.argmax(axis=1) == labels).mean())


def calibration_error(scores: Scores, labels: Labels) -> float:
    """The expected calibration error, 0 (honest) to 1.

    The mean distance between confidence and accuracy over equally wide bins of confidence, weighted
    by their pictures: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks"
    (ICML 2017), equation 3.
    """
    counts, confidence, correct = reliability_bins(scores, labels)
    return float(np.abs(confidence - correct).sum() / counts.sum())


def reliability_bins(scores: Scores, labels: Labels, bins: int = 15) -> tuple[Sums, Sums, Sums]:
    """For each of equally wide bins of confidence: pictures, sum of confidence, correct answers."""
    confidence = scores.max(axis=1).astype(np.float64)
    correct = (scores.argmax(axis=1) == labels).astype(np.float64)
    # Intervals open on the left, as in the paper; float32 rows may sum to a hair more than 1.
    index = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    ones = np.ones_like(confidence)
    counts, confident, correct = (
        np.bincount(index, values, minlength=bins).astype(np.float64)
        for values in (ones, confidence, correct)
    )
    return counts, confident, correct


def _read_digit_folders(folder: Path) -> Dataset:
    from mnist_cli import images, reshape  # Pillow: not for the files of MNIST

    files = [
        (digit, file)
        for digit in range(10)
        for file in sorted((folder / str(digit)).glob("*"))
        if not file.name.startswith(".")
    ]
    if not files:
        raise InputError(
            f"{folder}: no pictures; expected the IDX files of MNIST (t10k-images-idx3-ubyte.gz "
            "and t10k-labels-idx1-ubyte.gz), or folders 0 to 9 with pictures"
        )
    rows = []
    for _, file in files:
        try:
            rows.append(reshape.preprocess_batch([images.read(str(file), io.BytesIO())]))
        except InputError as error:
            raise InputError(f"{file}: {error}") from error
    labels = np.array([digit for digit, _ in files], np.int64)
    return Dataset(np.concatenate(rows), labels, [str(file) for _, file in files])
