"""Reads the content of picture files, up to a limit."""

import errno
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

from mnist_cli.errors import InputError

MAX_BYTES = 64 * 2**20
# Read at a time from a file whose size is not known.
READ_BYTES = 2**20
if sys.platform == "win32":
    OPEN_FLAGS = os.O_RDONLY | os.O_BINARY  # otherwise, line ends are converted
else:
    OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY


def load(file: str, stdin: BinaryIO) -> bytes:
    """Return the content of a file, or of `stdin` if `file` is `-`, up to MAX_BYTES + 1 bytes.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        if file == "-":
            return stdin.read(MAX_BYTES + 1)
        with open(file, "rb") as stream:
            # Allocating MAX_BYTES takes longer than decoding a small picture. Pipes have no size.
            size = os.fstat(stream.fileno()).st_size or MAX_BYTES
            return stream.read(min(size, MAX_BYTES) + 1)
    except OSError as error:
        raise _input_error(file, error) from error


def load_regular(file: str) -> bytes:
    """Return the content of a regular file, up to MAX_BYTES + 1 bytes.

    It never waits for another process, as opening a named pipe or a terminal can do.

    Raises:
        InputError: the file cannot be read, or is a named pipe, a socket, a device or a folder.
    """
    try:
        descriptor = os.open(file, OPEN_FLAGS)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
                kind = "named pipe" if stat.S_ISFIFO(status.st_mode) else "device"
                raise InputError(f"is a {kind}: use a regular file")
            return _read_to_end(descriptor, status.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _input_error(file, error) from error


def _read_to_end(descriptor: int, size: int) -> bytes:
    """Read a file that had `size` bytes, up to MAX_BYTES + 1 bytes."""
    content = os.read(descriptor, min(size, MAX_BYTES) + 1)
    if len(content) == size:
        return content
    # The file changes meanwhile, or has no size, as in /proc.
    parts, total = [content], len(content)
    while total <= MAX_BYTES:
        part = os.read(descriptor, min(READ_BYTES, MAX_BYTES + 1 - total))
        if not part:
            break
        parts.append(part)
        total += len(part)
    return b"".join(parts)


def _input_error(file: str, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError("no such file: check the path")
    if isinstance(error, IsADirectoryError) or Path(file).is_dir():  # PermissionError on Windows
        return InputError("is a folder: list the pictures in it, or use `mnist predict-batch`")
    if isinstance(error, PermissionError):
        return InputError("permission denied: check the owner and mode of the file")
    if error.errno == errno.ENXIO:
        return InputError("is a socket, or a device that is not ready: use a regular file")
    return InputError(f"cannot be read: {error.strerror}")
