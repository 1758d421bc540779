"""Lists the files of folders as they appear."""

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mnist_cli.batch.listing import InputFile

# Time between two looks at the folders: a program that writes a file seldom pauses for longer.
POLL_SECONDS = 1.0

Version = tuple[int, int] | str
"""Size and time of the last change in nanoseconds; why a folder cannot be listed."""


def watch(list_files: Callable[[], Iterable[InputFile]]) -> Iterator[InputFile]:
    """Yield the files that are listed, as soon as each is complete; never ends.

    A file is complete if it is not empty and has not changed since the last look. If it changes
    later, it is yielded again.
    """
    last: dict[str, Version] = {}
    yielded: dict[str, Version] = {}
    while True:
        found: dict[str, Version] = {}
        for file in list_files():
            version = _version(file)
            if version is None:
                continue
            found[file.file] = version
            if last.get(file.file) == version != yielded.get(file.file):
                yielded[file.file] = version
                yield file
        last = found
        yielded = {name: version for name, version in yielded.items() if name in found}
        time.sleep(POLL_SECONDS)


def _version(file: InputFile) -> Version | None:
    """Return what changes with a file; None if it is empty, or has just been deleted."""
    if file.error:
        return file.error
    try:
        status = Path(file.file).stat()
    except OSError:
        return None
    return (status.st_size, status.st_mtime_ns) if status.st_size else None
