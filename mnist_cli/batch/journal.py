"""The records of a batch on their way into a file: none is lost, whatever stops the batch."""

import contextlib
import fcntl
import io
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from mnist_cli.errors import InputError, MnistError, OutputError
from mnist_cli.output import json_lines
from mnist_cli.records import BatchRecord

JournalSettings = dict[str, Any]


class Journal:
    """`.FILE.partial`: a line with the settings of a batch, then a line of JSON for each record.

    It only grows, so after a kill, a full disk or Ctrl-C all of it holds but the last line, if that
    was cut short.
    """

    def __init__(self, target: Path, settings: JournalSettings, resume: bool) -> None:
        """Begin the journal of a file, or open the one that an interrupted batch has left.

        Raises:
            InputError: there is one that is not to be resumed, or that has other settings.
            OutputError: it cannot be written.
        """
        self.path = target.with_name(f".{target.name}.partial")
        try:
            self._file = open(self.path, "ab+", buffering=0)
        except OSError as error:
            raise OutputError(f"{self.path} cannot be written: {error.strerror}") from error
        self._header_end = self._valid_end = 0  # where the settings end, and the last whole line
        try:
            # POSIX gives this lock up when the process ends, however it ends.
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._begin(settings, resume)
        except BlockingIOError as error:
            self._file.close()
            raise OutputError(f"{self.path}: another batch is writing it") from error
        except MnistError:
            self._file.close()
            raise

    def _begin(self, settings: JournalSettings, resume: bool) -> None:
        lines = list(islice(self._lines(), 2))
        if len(lines) < 2:  # no records: whatever was to come, it can begin anew
            self._valid_end = 0
            self.add([settings])
            self._header_end = self._valid_end
            return
        header = lines[0]
        if not resume:
            raise InputError(
                f"{self.path} has the records of an interrupted batch: go on with --resume, or "
                "remove it to begin anew"
            )
        for name, value in settings.items():
            if header.get(name) != value:
                raise InputError(
                    f"{self.path} was begun with {name} {header.get(name)}, not {value}: give the "
                    "same again, or remove it to begin anew"
                )

    def close(self) -> None:
        """Leave the records, if there are any, to be gone on with."""
        if self._valid_end == self._header_end:
            self.remove()
        self._file.close()

    def remove(self) -> None:
        """Forget the records."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()

    def records(self) -> Iterator[BatchRecord]:
        """Yield what is recorded; to be read to the end before anything is added."""
        lines = self._lines()
        next(lines)
        yield from lines

    def copy_records(self, file: BinaryIO) -> None:
        """Copy what is recorded, a line of JSON each."""
        journal = io.BufferedReader(self._file)
        journal.seek(0)
        journal.readline()
        shutil.copyfileobj(journal, file)
        journal.detach()

    def add(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Record some more.

        Raises:
            OutputError: the disk is full, for instance; what was recorded before is whole.
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
                f"{self.path} cannot be written: {error.strerror}; --resume goes on with it"
            ) from error
        self._valid_end += len(data)

    def _lines(self) -> Iterator[BatchRecord]:
        # Opened a second time, the file would lose its lock when that is closed.
        lines = io.BufferedReader(self._file)
        lines.seek(0)
        end = 0
        try:
            for line in lines:
                content = json.loads(line)
                if not line.endswith(b"\n"):
                    break
                end += len(line)
                self._valid_end = max(end, self._valid_end)
                yield content
        except ValueError:  # after a power failure there may be anything
            pass
        finally:
            lines.detach()
