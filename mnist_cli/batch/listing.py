"""Which files a batch reads and in which order, without holding them all in memory."""

import contextlib
import fnmatch
import heapq
import itertools
import os
import pickle
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple, TextIO

from mnist_cli.batch import uris
from mnist_cli.batch.uris import is_uri
from mnist_cli.errors import InputError
from mnist_cli.terminal import printable

# A folder with more entries than this is sorted on disk.
SORT_RUN_NAMES = 200_000
# Entries that are read back from disk at a time.
SORT_READ_NAMES = 1_000

FileId = tuple[int, int]
"""Device and inode: what a file is, whatever its name."""


class InputFile(NamedTuple):
    """A file to read, or a folder that cannot be listed."""

    file: str
    error: str | None = None


def check_sources(sources: Iterable[str]) -> None:
    """See that all sources are there.

    Raises:
        InputError: one is missing, or a folder that cannot be listed.
    """
    for source in sources:
        try:
            if is_uri(source):
                uris.check_exists(source)
            elif source != "-" and os.path.isdir(source):
                os.scandir(source).close()
            elif source != "-":
                os.stat(source)
        except OSError as error:
            raise InputError(f"{printable(source)}: {error.strerror}") from error


def output_file_ids(stdout: TextIO, file: Path | None) -> frozenset[FileId]:
    """The files that a batch writes: `stdout`, should it be one, and this one, if it is there."""
    found = set()
    with contextlib.suppress(OSError):  # there is none behind it
        found.add(_file_id(os.fstat(stdout.fileno())))
    if file:
        with contextlib.suppress(OSError):
            found.add(_file_id(file.stat()))
    return frozenset(found)


def _file_id(status: os.stat_result) -> FileId:
    return status.st_dev, status.st_ino


@dataclass(frozen=True)
class Listing:
    """What to read: folders, files, URIs, and `-` for a list of paths on stdin.

    Folders are listed in the order of their paths' bytes, as `LC_ALL=C sort` has it. Hidden files
    and folders are passed over, and so is whatever is no file: pipes, sockets, devices.
    """

    sources: tuple[str, ...]
    globs: tuple[str, ...] = ()
    """Patterns of file names in folders, one of which must match; none means all files."""
    recursive: bool = True
    null: bool = False
    """Paths on stdin end with NUL, as those of `find -print0`, and not with a line break."""
    excluded: frozenset[FileId] = frozenset()
    """Files that this batch writes itself, and that may lie in a folder which it reads."""

    def files(self, stdin: BinaryIO) -> Iterator[InputFile]:
        """List all that is to be read, in order."""
        for source in self.sources:
            if source == "-":
                yield from map(_explicit_file, self._read_paths(stdin))
            elif is_uri(source):
                found = uris.list_files(source, self._matches, self.recursive)
                yield from itertools.starmap(InputFile, found)
            elif os.path.isdir(source):
                yield from self._walk(os.fsencode(source))
            else:
                yield _explicit_file(os.fsencode(source))

    def count(self) -> int | None:
        """How many files `files` will list; None if that takes too long, or the end of stdin."""
        if "-" in self.sources or any(map(is_uri, self.sources)):
            return None
        return sum(
            sum(1 for _ in self._walk(os.fsencode(source), in_order=False))
            if os.path.isdir(source)
            else 1
            for source in self.sources
        )

    def _read_paths(self, stdin: BinaryIO) -> Iterator[bytes]:
        end = b"\0" if self.null else b"\n"
        rest = b""
        while block := stdin.read1(65536):  # type: ignore[attr-defined]
            *paths, rest = (rest + block).split(end)
            yield from filter(None, paths)
        if rest:
            yield rest

    def _walk(self, top: bytes, in_order: bool = True) -> Iterator[InputFile]:
        # A stack of its own: folders may be nested more deeply than Python calls.
        open_folders: list[tuple[bytes, FileId, Iterator[bytes]]] = []
        entering: bytes | None = top
        while entering is not None or open_folders:
            if entering is not None:
                folder, entering = entering, None
                try:
                    file_id = _file_id(os.stat(folder))
                    if any(file_id == ancestor for _, ancestor, _ in open_folders):
                        continue  # a link to a folder that it lies in
                    names = self._names(folder)
                    names = _external_sort(names) if in_order else names
                    first = list(islice(names, 1))  # a folder that cannot be listed fails here
                except OSError as error:
                    yield InputFile(os.fsdecode(folder), f"cannot be listed: {error.strerror}")
                    continue
                open_folders.append((folder, file_id, itertools.chain(first, names)))
            folder, _, names = open_folders[-1]
            for name in names:
                path = os.path.join(folder, name)
                if name.endswith(b"/"):
                    entering = path[:-1]
                    break
                yield InputFile(os.fsdecode(path))
            else:
                open_folders.pop()

    def _names(self, folder: bytes) -> Iterator[bytes]:
        """The entries of a folder, those that are folders with a slash, so that paths sort."""
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith(b"."):
                    continue
                if entry.is_dir():
                    if self.recursive:
                        yield entry.name + b"/"
                # A link that leads nowhere is listed: its record tells of it.
                elif (entry.is_file() or entry.is_symlink()) and self._is_wanted(entry):
                    yield entry.name

    def _is_wanted(self, entry: "os.DirEntry[bytes]") -> bool:
        if not self._matches(os.fsdecode(entry.name)):
            return False
        # The inode is there without asking the disk.
        if any(entry.inode() == inode for _, inode in self.excluded):
            return _file_id(entry.stat()) not in self.excluded
        return True

    def _matches(self, name: str) -> bool:
        return not self.globs or any(fnmatch.fnmatchcase(name, glob) for glob in self.globs)


def _explicit_file(path: bytes) -> InputFile:
    """A file that was named, and not found in a folder."""
    file = os.fsdecode(path)
    # To open a pipe would wait for somebody to write into it.
    return InputFile(file, "is a pipe: name a file" if Path(file).is_fifo() else None)


def _external_sort(names: Iterator[bytes]) -> Iterator[bytes]:
    """Sort any number of names: large runs wait on disk until they are merged."""
    run = sorted(islice(names, SORT_RUN_NAMES))
    if len(run) < SORT_RUN_NAMES:
        yield from run
        return
    with ExitStack() as files:
        runs = []
        while run:
            file = files.enter_context(tempfile.TemporaryFile())
            _write_run(file, run)
            runs.append(_read_run(file))
            run = sorted(islice(names, SORT_RUN_NAMES))
        yield from heapq.merge(*runs)


def _write_run(file: IO[bytes], names: list[bytes]) -> None:
    for start in range(0, len(names), SORT_READ_NAMES):
        pickle.dump(names[start : start + SORT_READ_NAMES], file)
    file.seek(0)


def _read_run(file: IO[bytes]) -> Iterator[bytes]:
    while True:
        try:
            chunk: Iterable[Any] = pickle.load(file)
        except EOFError:
            return
        yield from chunk
