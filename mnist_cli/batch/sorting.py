"""Sorts the names in a folder, on disk if there are many."""

import contextlib
import heapq
import pickle
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import IO

from mnist_cli.chunks import chunked

# Folders with more names than this are sorted on disk, in runs of this size.
RUN_NAMES = 200_000
# Names that are read back from each run at a time.
CHUNK_NAMES = 1_000


def sort_names(names: Iterator[bytes]) -> Iterator[bytes]:
    """Sort any number of names with an external merge sort."""
    run = sorted(islice(names, RUN_NAMES))
    if len(run) < RUN_NAMES:
        yield from run
        return
    with ExitStack() as files:
        runs = []
        while run:
            file = files.enter_context(tempfile.TemporaryFile())
            for chunk in chunked(run, CHUNK_NAMES):
                pickle.dump(chunk, file)
            runs.append(_read_run(file))
            run = sorted(islice(names, RUN_NAMES))
        yield from heapq.merge(*runs)


def _read_run(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    with contextlib.suppress(EOFError):
        while True:
            chunk: list[bytes] = pickle.load(file)
            yield from chunk
