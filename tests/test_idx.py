"""IDX files against files written with `struct`."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from mnist_cli.errors import InputError
from mnist_cli.idx import is_idx_folder, read_idx, read_split


def _idx(dimensions: tuple[int, ...], values: bytes, magic: int | None = None) -> bytes:
    magic = 0x0800 + len(dimensions) if magic is None else magic
    return struct.pack(f">I{len(dimensions)}I", magic, *dimensions) + values


@pytest.mark.parametrize("shape", [(5,), (3, 4), (2, 28, 28)])
@pytest.mark.parametrize("packed", [False, True])
def test_read_idx(tmp_path: Path, shape: tuple[int, ...], packed: bool) -> None:
    values = bytes(index % 251 for index in range(int(np.prod(shape))))
    content = _idx(shape, values)
    path = tmp_path / "some-ubyte"
    if packed:
        path.with_name("some-ubyte.gz").write_bytes(gzip.compress(content))
    else:
        path.write_bytes(content)
    read = read_idx(path, len(shape))
    assert read.dtype == np.uint8
    assert (read.shape, read.tobytes()) == (shape, values)
    assert is_idx_folder(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_idx((2, 2, 2), bytes(7)), "the file has 7"),
        (_idx((2, 2, 2), bytes(9)), "the file has 9"),
        (_idx((2, 4), bytes(16)), "not an IDX file of bytes with 3 dimensions"),
        (_idx((2, 2, 2), bytes(8), 0x0D03), "magic number 0x00000d03"),  # 32-bit floats
        (bytes(15), "truncated"),
        (b"", "truncated"),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "some-ubyte"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_idx(path, 3)


def test_read_split(tmp_path: Path) -> None:
    assert not is_idx_folder(tmp_path)
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8)
    (tmp_path / "train-images-idx3-ubyte").write_bytes(_idx(images.shape, images.tobytes()))
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(_idx((3,), bytes([7, 0, 9])))
    read, labels = read_split(tmp_path, "train")
    np.testing.assert_array_equal(read, images)
    assert labels.dtype == np.int64
    assert labels.tolist() == [7, 0, 9]
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(_idx((3,), bytes([7, 10, 9])))
    with pytest.raises(InputError, match="label is 10"):
        read_split(tmp_path, "train")
    with pytest.raises(InputError, match="no such file"):
        read_split(tmp_path, "t10k")
