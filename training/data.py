"""MNIST as arrays: from the four IDX files of a folder, or through Keras' own downloader.

The format is described by Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten
digits": a big-endian magic number (0x0000, type code 0x08 for bytes, number of dimensions), one
32-bit size for each dimension, then the bytes.
"""

import gzip
import struct
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

VALIDATION_IMAGES = 5_000

Images = NDArray[np.uint8]
"""uint8 [N, 28, 28], paper 0, ink 255: the polarity of the IDX files."""

Labels = NDArray[np.int64]
"""int64 [N], 0 to 9."""

Batch = NDArray[np.float32]
"""float32 [N, 784], paper 0.0, ink 1.0: what the models take."""


class DataError(Exception):
    """The MNIST files are missing, damaged or something else."""


class Digits(NamedTuple):
    """Images and the digits they show, in the same order."""

    images: Images
    labels: Labels


def as_input(images: Images) -> Batch:
    """Turn uint8 [N, 28, 28] into what the models take, float32 [N, 784] in [0, 1], ink 1.0."""
    return images.reshape(len(images), -1).astype(np.float32) / np.float32(255)


def load_training(folder: Path | None) -> tuple[Digits, Digits]:
    """Return the training part (55,000) and the validation part (the last 5,000).

    Without a folder the data come from `keras.datasets.mnist`.
    """
    images, labels = _load("train", folder)
    return (
        Digits(images[:-VALIDATION_IMAGES], labels[:-VALIDATION_IMAGES]),
        Digits(images[-VALIDATION_IMAGES:], labels[-VALIDATION_IMAGES:]),
    )


def load_test(folder: Path | None) -> Digits:
    """Return the 10,000 test images: for the final figure only, never for a choice."""
    return _load("t10k", folder)


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of bytes that has this number of dimensions."""
    try:
        content = gzip.decompress(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (EOFError, zlib.error) as error:
        raise DataError(f"{path}: the gzip stream is truncated or damaged ({error})") from error
    except OSError as error:
        raise DataError(f"{path}: {error}") from error

    header = 4 + 4 * dimensions
    if len(content) < header:
        raise DataError(f"{path}: {len(content)} bytes, the IDX header alone has {header}")
    magic, *shape = struct.unpack(f">{1 + dimensions}I", content[:header])
    expected = 0x0800 + dimensions
    if magic != expected:
        raise DataError(f"{path}: magic number 0x{magic:08x}, expected 0x{expected:08x}")
    values = np.frombuffer(content, np.uint8, offset=header)
    if values.size != np.prod(shape):
        raise DataError(f"{path}: {values.size} values, the header {tuple(shape)} says otherwise")
    return values.reshape(shape)


def _load(part: str, folder: Path | None) -> Digits:
    if folder is None:
        return _download(part)
    images = read_idx(folder / f"{part}-images-idx3-ubyte.gz", dimensions=3)
    labels = read_idx(folder / f"{part}-labels-idx1-ubyte.gz", dimensions=1)
    if len(images) != len(labels):
        raise DataError(f"{folder}: {len(images)} {part} images but {len(labels)} labels")
    return Digits(images, labels.astype(np.int64))


def _download(part: str) -> Digits:
    # Imported here: whoever has the files needs no Keras to read them.
    from keras.datasets import mnist

    train, test = mnist.load_data()
    images, labels = train if part == "train" else test
    return Digits(images, labels.astype(np.int64))
