"""Lists the files of a batch in sorted order, without holding them all in memory."""

import contextlib
import fnmatch
import functools
import io
import itertools
import os
import re
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from mnist_cli.batch import uris
from mnist_cli.batch.path_list import read_paths
from mnist_cli.batch.sorting import sort_names
from mnist_cli.batch.uris import is_uri
from mnist_cli.errors import InputError
from mnist_cli.terminal import printable

FileId = tuple[int, int]
"""Device and inode, which identify a file under any name."""


class InputFile(NamedTuple):
    """A file to read, or a folder that cannot be listed."""

    file: str
    error: str | None = None

    @property
    def utf8_name(self) -> str:
        """The file name as in records, see `to_utf8`."""
        return to_utf8(self.file)


@dataclass(frozen=True)
class Listing:
    """The files to read.

    Folders are listed in the order of `LC_ALL=C sort`, by the bytes of whole paths. Hidden files
    and folders are skipped, and so are sockets, devices, named pipes and links to them.
    """

    sources: tuple[str, ...]
    """Folders, files, URIs, or `-` for a list of paths on stdin."""
    globs: tuple[str, ...] = ()
    """Patterns for the names of files in folders, without regard to case; one must match."""
    recursive: bool = True
    null: bool = False
    """Whether paths on stdin end with NUL, as from `find -print0`, instead of a newline."""
    excluded: frozenset[FileId] = frozenset()
    """Files in folders that are skipped, because the batch writes them."""

    def check(self) -> None:
        """Check that all sources exist and that folders can be listed.

        Raises:
            InputError: a source does not exist, or a folder cannot be listed.
        """
        for source in self.sources:
            try:
                if is_uri(source):
                    if uris.file_type(source) == "NotFound":
                        raise InputError(f"{source}: no such file or folder")
                elif source != "-" and os.path.isdir(source):
                    os.scandir(source).close()
                elif source != "-" and not stat.S_ISREG(os.stat(source).st_mode):
                    raise InputError(
                        f"{printable(source)}: is neither a folder nor a regular file",
                        "for a list of paths on stdin, use -",
                    )
            except OSError as error:
                raise InputError(f"{printable(source)}: {error.strerror}") from error

    def files(self, stdin: BinaryIO, in_order: bool = True) -> Iterator[InputFile]:
        """List all files, by default in order.

        Raises:
            UsageError: stdin is not a list of paths.
            InputError: stdin cannot be read.
        """
        for source in self.sources:
            if source == "-":
                yield from map(InputFile, read_paths(stdin, self.null))
            elif is_uri(source):
                found = uris.list_files(source, self._matches, self.recursive)
                yield from itertools.starmap(InputFile, found)
            elif os.path.isdir(source):
                yield from self._walk(os.fsencode(source), in_order)
            else:
                yield InputFile(source)

    def count(self) -> int | None:
        """Count the files; None if they come from stdin or URIs, where that takes too long."""
        if "-" in self.sources or any(map(is_uri, self.sources)):
            return None
        return sum(1 for _ in self.files(io.BytesIO(), in_order=False))

    def _walk(self, top: bytes, in_order: bool) -> Iterator[InputFile]:
        # Not recursive: folders can be nested deeper than Python's recursion limit.
        stack: list[tuple[FileId | None, Iterator[bytes]]] = [(None, iter([top + b"/"]))]
        while stack:
            for path in stack[-1][1]:
                if path.endswith(b"/"):
                    break
                yield InputFile(os.fsdecode(path))
            else:
                stack.pop()
                continue
            folder = path[:-1]
            try:
                file_id = _file_id(os.stat(folder))
                # A symbolic link can lead to a folder that contains it.
                if all(file_id != ancestor for ancestor, _ in stack):
                    stack.append((file_id, self._list_folder(folder, in_order)))
            except OSError as error:
                message = f"cannot list the folder: {error.strerror}"
                yield InputFile(os.fsdecode(folder), message)

    def _list_folder(self, folder: bytes, in_order: bool) -> Iterator[bytes]:
        """The paths in a folder; those of folders end with a slash, so that they sort correctly."""
        names, start = self._names(folder), os.path.join(folder, b"")
        paths = (start + name for name in (sort_names(names) if in_order else names))
        return itertools.chain(list(islice(paths, 1)), paths)  # OSError is raised here, not later

    def _names(self, folder: bytes) -> Iterator[bytes]:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(b"."):
                    continue
                try:
                    if entry.is_dir():
                        if self.recursive:
                            yield entry.name + b"/"
                        continue
                    is_wanted = self._is_wanted(entry)
                except OSError:  # a broken or circular link, or a file that has just been deleted
                    is_wanted = True  # it gets a record with the error
                if is_wanted and self._matches(entry.name):
                    yield entry.name

    def _is_wanted(self, entry: "os.DirEntry[bytes]") -> bool:
        """Whether an entry is a regular file, or a link to one, that the batch does not write.

        Raises:
            OSError: the file does not exist or cannot be reached.
        """
        # On Linux and macOS, the type and the inode are known without a system call.
        if entry.is_file(follow_symlinks=False) and entry.inode() not in self._excluded_inodes:
            return True
        status = os.stat(entry.path)  # `entry.stat` has no device and inode on Windows
        return stat.S_ISREG(status.st_mode) and _file_id(status) not in self.excluded

    @functools.cached_property
    def _excluded_inodes(self) -> set[int]:
        return {inode for _, inode in self.excluded}

    def _matches(self, name: str | bytes) -> bool:
        return not self.globs or any(pattern.match(os.fsdecode(name)) for pattern in self._patterns)

    @functools.cached_property
    def _patterns(self) -> list[re.Pattern[str]]:
        return [re.compile(fnmatch.translate(glob), re.IGNORECASE) for glob in self.globs]


def to_utf8(name: str) -> str:
    """Replace bytes of a name that are not UTF-8 by escapes such as `\\xff`."""
    content = name.encode("utf-8", sys.getfilesystemencodeerrors())
    return content.decode("utf-8", "backslashreplace")


def output_file_ids(stdout: TextIO, file: Path | None) -> frozenset[FileId]:
    """Identify the files that a batch writes: `file`, and `stdout` if it is redirected."""
    found = set()
    with contextlib.suppress(OSError):  # a stream without a file descriptor
        found.add(_file_id(os.fstat(stdout.fileno())))
    if file:
        with contextlib.suppress(OSError):
            found.add(_file_id(file.stat()))
    return frozenset(found)


def _file_id(status: os.stat_result) -> FileId:
    return status.st_dev, status.st_ino
