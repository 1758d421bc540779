"""Loads MNIST from a folder of IDX files or through the downloader of Keras."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_cli.idx import Split, read_split

VALIDATION_IMAGES = 5_000
"""The last images of the training set."""

COMPARISON_IMAGES = 10_000
"""The last images of the training set, where networks are compared: 5,000 cannot separate two."""

Images = NDArray[np.uint8]
"""uint8 [N, 28, 28], paper 0 and ink 255, as in the IDX files."""

Labels = NDArray[np.int64]
"""int64 [N], 0 to 9, or `NO_DIGIT`."""

NO_DIGIT = -1

Batch = NDArray[np.float32]
"""float32 [N, 784], paper 0.0 and ink 1.0: the input of the models."""


class Digits(NamedTuple):
    """Images and the digits they show, in the same order."""

    images: Images
    labels: Labels


def load_training(folder: Path | None) -> tuple[Digits, Digits]:
    """Return the training images (55,000) and the validation images (the last 5,000).

    Without a folder, the data come from `keras.datasets.mnist`.

    Raises:
        InputError: a file is missing or damaged.
    """
    return _split_training(folder, VALIDATION_IMAGES)


def load_comparison(folder: Path | None) -> tuple[Digits, Digits]:
    """Return the first 50,000 training images and the last 10,000, to compare networks.

    Raises:
        InputError: a file is missing or damaged.
    """
    return _split_training(folder, COMPARISON_IMAGES)


def load_test(folder: Path | None) -> Digits:
    """Return the 10,000 test images, which are for the final figures and never for a choice.

    Raises:
        InputError: a file is missing or damaged.
    """
    return _load("t10k", folder)


def as_input(images: Images) -> Batch:
    """Convert images of MNIST to the input of the models."""
    # Not from `mnist_cli.evaluation`: the environment of the estimators lacks Pillow.
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def _split_training(folder: Path | None, held_out: int) -> tuple[Digits, Digits]:
    images, labels = _load("train", folder)
    return (
        Digits(images[:-held_out], labels[:-held_out]),
        Digits(images[-held_out:], labels[-held_out:]),
    )


def _load(split: Split, folder: Path | None) -> Digits:
    return _download(split) if folder is None else Digits(*read_split(folder, split))


def _download(split: Split) -> Digits:
    # Imported here: reading the files does not need Keras.
    from keras.datasets import mnist

    train, test = mnist.load_data()
    images, labels = train if split == "train" else test
    return Digits(images, labels.astype(np.int64))
