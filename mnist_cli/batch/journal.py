"""The journal of a batch, which keeps its records until the output file is complete."""

import contextlib
import fcntl
import json
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypedDict, cast

from mnist_cli.errors import InputError, MnistError, OutputError
from mnist_cli.option_types import Preprocess
from mnist_cli.output import json_lines
from mnist_cli.records import BatchRecord


class JournalSettings(TypedDict):
    """The first line of a journal: the settings that its records depend on."""

    sources: list[str]
    glob: list[str]
    recursive: bool
    model: str
    """Name, fingerprint and calibration."""
    version: str
    preprocess: Preprocess
    scores: bool


class Journal:
    """`.FILE.partial`: one line of JSON with the settings, then one line for each record.

    Lines are only appended, so that a kill, a full disk or Ctrl-C can damage only the last line. A
    damaged line is dropped.
    """

    def __init__(self, target: Path, settings: JournalSettings, resume: bool) -> None:
        """Start the journal of a file, or continue the one of an interrupted batch.

        Raises:
            InputError: a journal exists, and `resume` is False or its settings differ.
            OutputError: the journal cannot be written.
        """
        self.path = target.with_name(f".{target.name}.partial")
        try:
            self._file = open(self.path, "ab+", buffering=0)
        except OSError as error:
            raise OutputError(f"cannot write {self.path}: {error.strerror}") from error
        # Byte offsets: the end of the settings, and of the last complete line.
        self._header_end = self._valid_end = 0
        try:
            # POSIX releases this lock when the process ends, for whatever reason.
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._start(settings, resume)
        except BlockingIOError as error:
            self._file.close()
            raise OutputError(f"{self.path} is in use by another batch") from error
        except MnistError:
            self._file.close()
            raise

    def _start(self, settings: JournalSettings, resume: bool) -> None:
        lines = list(islice(self._lines(), 2))
        if len(lines) < 2:  # no records: nothing is lost by starting over
            self._valid_end = 0
            self.add([settings])
            self._header_end = self._valid_end
            return
        header = lines[0]
        if not resume:
            raise InputError(
                f"{self.path} has the records of an interrupted batch: continue with --resume, or "
                "delete the file to start over"
            )
        for name, value in settings.items():
            if header.get(name) != value:
                raise InputError(
                    f"{self.path} was written with {name} {header.get(name)}, not {value}: use the "
                    "same options, or delete the file to start over"
                )

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        if self._valid_end == self._header_end:
            self.remove()  # it has no records
        self._file.close()

    def remove(self) -> None:
        """Delete the journal."""
        self.path.unlink(missing_ok=True)

    def records(self) -> Iterator[BatchRecord]:
        """Yield all records; exhaust it before the next `add`."""
        return cast(Iterator[BatchRecord], islice(self._lines(), 1, None))

    def copy_records(self, file: BinaryIO) -> None:
        """Copy all records, as lines of JSON."""
        with self._reader() as lines:
            lines.readline()
            shutil.copyfileobj(lines, file)

    def add(self, records: Sequence[BatchRecord | JournalSettings]) -> None:
        """Append records.

        Raises:
            OutputError: the records cannot be written; earlier records are intact.
        """
        data = json_lines(records).encode()
        try:
            self._file.truncate(self._valid_end)
            rest = data
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            with contextlib.suppress(OSError):
                self._file.truncate(self._valid_end)
            raise OutputError(
                f"cannot write {self.path}: {error.strerror}; continue with --resume"
            ) from error
        self._valid_end += len(data)

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield the complete lines, from the start."""
        end = 0
        # After a power failure a line can contain anything.
        with self._reader() as lines, contextlib.suppress(ValueError):
            for line in lines:
                content = json.loads(line)
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                self._valid_end = max(end, self._valid_end)
                yield content

    def _reader(self) -> BinaryIO:
        # Closing another file descriptor of the journal would release its lock.
        reader = open(self._file.fileno(), "rb", closefd=False)
        reader.seek(0)
        return reader
