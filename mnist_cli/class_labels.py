"""Finds the outputs of the ten digits among the outputs of a model."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_cli.errors import ModelError

if TYPE_CHECKING:  # commands that only find models do not need NumPy
    from mnist_cli.arrays import Floats

ASSETS = "assets"
"""The folder of a SavedModel that may contain a file of labels."""
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Ten labels and a blank class take less; other assets, such as vocabularies, are larger.
MAX_LABEL_FILE_BYTES = 1000
DIGITS = tuple(range(10))
"""The columns of the scores of most models."""
MIN_SUM = 1e-30
"""Replaces 0 as a divisor."""


def columns_of_digits(labels: Sequence[str]) -> tuple[int, ...] | None:
    """Return the index of the label of each digit, such as "7" or "seven"; None if one is missing.

    The labels may contain others, such as a class for blank images.
    """
    names = [label.strip().lower() for label in labels]
    columns = []
    for digit, word in enumerate(WORDS):
        found = [index for index, name in enumerate(names) if name in (str(digit), word)]
        if len(found) != 1:
            return None
        columns.append(found[0])
    return tuple(columns)


def possible_label_files(folder: Path) -> list[Path]:
    """Return the files in a folder that are small enough for labels."""
    return [
        file
        for file in sorted(folder.glob("*"))
        if file.is_file() and file.stat().st_size <= MAX_LABEL_FILE_BYTES
    ]


def read_label_file(folder: Path) -> tuple[str, ...] | None:
    """Return the words of the file in a folder that labels the ten digits, if there is one."""
    for file in possible_label_files(folder):
        labels = tuple(file.read_text("utf-8", errors="replace").split())
        if columns_of_digits(labels):
            return labels
    return None


def constant_labels(rows: Iterable[Iterable[Any]]) -> tuple[str, ...]:
    """Return the labels of the outputs for several images, as text.

    Raises:
        ModelError: they differ, because the outputs are sorted by their score.
    """
    labels = {
        tuple(x.decode(errors="replace") if isinstance(x, bytes) else str(x) for x in row)
        for row in rows
    }
    if len(labels) != 1:
        raise ModelError(
            "unsupported output: the order of the classes differs from image to image; export a "
            "signature with the scores of the digits 0 to 9 in this order"
        )
    return labels.pop()


def select_classes(scores: "Floats", columns: tuple[int, ...]) -> "Floats":
    """Return the probabilities of the ten digits [N, 10] from those of all classes."""
    if columns == DIGITS and scores.shape[1] == len(DIGITS):
        return scores
    selected: Floats = scores[:, columns]
    selected /= selected.sum(axis=1, keepdims=True).clip(min=MIN_SUM)
    return selected
