"""Reads the files of MNIST: images and labels in the IDX format, gzipped or not."""

import gzip
import math
import struct
import zlib
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from mnist_cli.errors import InputError
from mnist_cli.option_types import MNIST_URL

Split = Literal["train", "t10k"]
"""60,000 training images or 10,000 test images."""


def is_idx_folder(folder: Path) -> bool:
    """Return whether a folder contains IDX files."""
    return any(folder.glob("*-ubyte")) or any(folder.glob("*-ubyte.gz"))


def read_split(folder: Path, split: Split) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Read the images and labels of a split.

    Returns:
        The images, uint8 [N, 28, 28], background 0 and foreground 255, and their labels, int64 [N].

    Raises:
        InputError: a file is missing or damaged, or the two do not belong together.
    """
    images = read_idx(folder / f"{split}-images-idx3-ubyte", dimensions=3)
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte", dimensions=1)
    if len(images) != len(labels):
        raise InputError(f"{folder}: {len(images)} {split} images but {len(labels)} labels")
    if images.shape[1:] != (28, 28) or not len(images):
        raise InputError(
            f"{folder}: {split} images have shape {images.shape}, expected N x 28 x 28"
        )
    if labels.max() > 9:
        raise InputError(f"{folder}: a {split} label is {labels.max()}, expected 0 to 9")
    return images, labels.astype(np.int64)


def read_idx(path: Path, dimensions: int) -> npt.NDArray[np.uint8]:
    """Read an IDX file of bytes, gzipped or not.

    The format (Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits"): a
    big-endian magic number (0x0000, type code 0x08 for bytes, number of dimensions), a 32-bit size
    for each dimension, and the bytes.

    Args:
        path: the file without the suffix `.gz`.
        dimensions: the number of dimensions that the file must have.

    Raises:
        InputError: the file is missing, damaged or not such an IDX file.
    """
    packed = path.with_name(f"{path.name}.gz")
    path = path if path.exists() else packed
    try:
        content = path.read_bytes()
        if path == packed:
            content = gzip.decompress(content)
    except FileNotFoundError as error:
        raise InputError(
            f"{path}: no such file", f"download it from {MNIST_URL}/{path.name}"
        ) from error
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: the gzip file is truncated or damaged ({error})") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error

    header = 4 + 4 * dimensions
    if len(content) < header:
        raise InputError(
            f"{path}: truncated: it has {len(content)} bytes, the IDX header alone has {header}"
        )
    magic, *shape = struct.unpack(f">{1 + dimensions}I", content[:header])
    expected = 0x0800 + dimensions
    if magic != expected:
        raise InputError(
            f"{path}: not an IDX file of bytes with {dimensions} dimensions: magic number"
            f" 0x{magic:08x}, expected 0x{expected:08x}"
        )
    values = np.frombuffer(content, np.uint8, offset=header)
    if values.size != math.prod(shape):
        raise InputError(
            f"{path}: truncated or damaged: the header {tuple(shape)} says {math.prod(shape)}"
            f" values, the file has {values.size}"
        )
    return values.reshape(shape)
