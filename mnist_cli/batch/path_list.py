"""Reads a list of paths from stdin."""

import codecs
import os
from collections.abc import Iterator
from typing import BinaryIO

from mnist_cli.errors import InputError, UsageError

READ_BYTES = 2**16
# Longer than any path or URI.
MAX_PATH_BYTES = 2**16


def read_paths(stdin: BinaryIO, null: bool) -> Iterator[str]:
    """Yield paths that end with a newline or, with `null`, with NUL; empty paths are left out.

    In a list with newlines, a byte order mark of UTF-8 and carriage returns are accepted.

    Raises:
        UsageError: the list is UTF-16, contains NUL without `null`, or is not a list of paths; on
            Windows, also if it is not UTF-8.
        InputError: stdin cannot be read.
    """
    for number, line in enumerate(_split(stdin, b"\0" if null else b"\n")):
        path = line if null else _clean(line, is_first=number == 0)
        if path:
            yield _decode(path)


def _split(stdin: BinaryIO, end: bytes) -> Iterator[bytes]:
    rest = b""
    try:
        while block := stdin.read1(READ_BYTES):  # type: ignore[attr-defined]
            *lines, rest = (rest + block).split(end)
            yield from lines
            if len(rest) > MAX_PATH_BYTES:
                raise UsageError(
                    f"stdin is not a list of paths: it has more than {MAX_PATH_BYTES:,} bytes "
                    "without the end of a line"
                )
    except OSError as error:
        raise InputError(f"cannot read the list of paths on stdin: {error.strerror}") from error
    yield rest


def _decode(path: bytes) -> str:
    try:
        return os.fsdecode(path)
    except UnicodeDecodeError as error:  # names are text on Windows, and bytes elsewhere
        raise UsageError(
            f"the list of paths on stdin is not UTF-8: {path!r}", "convert it to UTF-8"
        ) from error


def _clean(line: bytes, is_first: bool) -> bytes:
    if is_first and line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UsageError("the list of paths on stdin is UTF-16", "convert it to UTF-8")
    if b"\0" in line:
        raise UsageError(
            "the list of paths on stdin contains NUL",
            "use --null for paths that end with NUL, as from `find -print0`, or convert the list "
            "to UTF-8",
        )
    return line.removeprefix(codecs.BOM_UTF8 if is_first else b"").removesuffix(b"\r")
