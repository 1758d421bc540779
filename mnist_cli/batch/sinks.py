"""Where the records of a batch go: to stdout as they come, or into a file once it is whole."""

import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

from mnist_cli import output
from mnist_cli.batch.chunks import chunked
from mnist_cli.batch.journal import Journal, JournalSettings
from mnist_cli.errors import OutputError
from mnist_cli.option_types import BatchFormat
from mnist_cli.records import BatchRecord

# Records that are converted at a time.
EXPORT_CHUNK_RECORDS = 10_000
FORMAT_BY_SUFFIX: dict[str, BatchFormat] = {".csv": "csv", ".parquet": "parquet"}

WriteRecords = Callable[[Sequence[BatchRecord]], None]


class Sink(Protocol):
    """Takes the records of a batch, in order."""

    def recorded(self) -> Iterator[BatchRecord]:
        """What an interrupted batch has left; to be read to the end before anything is added."""

    def add(self, records: Sequence[BatchRecord]) -> None:
        """Take some more."""

    def finish(self) -> None:
        """There are no more."""


def stream_writer(stdout: TextIO, format: BatchFormat | None, scores: bool) -> WriteRecords:
    """A function that writes records at once; without a format as `output.wants_text` says."""
    if output.wants_text(stdout, format):
        from mnist_cli.text import table_writer

        return table_writer(stdout)
    return output.record_writer(stdout, "csv" if format == "csv" else "json", scores=scores)


class StreamSink:
    """Writes records at once, or those of them that a person should look at."""

    def __init__(self, write: WriteRecords, below: float | None) -> None:
        self._write = write
        self._below = below

    def recorded(self) -> Iterator[BatchRecord]:
        """Nothing: what was written is gone."""
        return iter(())

    def add(self, records: Sequence[BatchRecord]) -> None:
        """Write them."""
        if wanted := list(below(records, self._below)):
            self._write(wanted)

    def finish(self) -> None:
        """Nothing is left to do."""


class FileSink:
    """Keeps records in a journal; when there are no more, the file is made of it, at once."""

    def __init__(
        self,
        target: Path,
        format: BatchFormat | None,
        settings: JournalSettings,
        *,
        resume: bool,
        scores: bool,
        below: float | None,
    ) -> None:
        """Begin the journal, or go on with it; without a format the target's name tells it.

        Raises:
            InputError: the journal that is there is not to be gone on with.
            OutputError: the file cannot be written, or pyarrow is missing.
        """
        if target.exists() and not target.is_file():
            raise OutputError(f"{target} is no regular file: name another, or write to stdout")
        self._format = format or FORMAT_BY_SUFFIX.get(target.suffix.lower(), "jsonl")
        if self._format == "parquet":
            from mnist_cli.batch.parquet import check_pyarrow

            check_pyarrow()
        self._target = target
        self._scores = scores
        self._below = below
        self._journal = Journal(target, settings, resume)

    def __enter__(self) -> "FileSink":
        return self

    def __exit__(self, *_: object) -> None:
        self._journal.close()

    def recorded(self) -> Iterator[BatchRecord]:
        """What is in the journal."""
        return self._journal.records()

    def add(self, records: Sequence[BatchRecord]) -> None:
        """Record them."""
        self._journal.add(records)

    def finish(self) -> None:
        """Write the file, under its name only when it is whole.

        Raises:
            OutputError: it cannot be written; the journal stays.
        """
        temporary = self._target.with_name(f".{self._target.name}.tmp")
        try:
            with temporary.open("wb") as file:
                self._export(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(self._target)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise OutputError(
                f"{self._target} cannot be written: {error.strerror}; --resume tries it again"
            ) from error
        self._journal.remove()

    def _export(self, file: BinaryIO) -> None:
        if self._format == "jsonl" and self._below is None:
            self._journal.copy_records(file)
            return
        records = below(self._journal.records(), self._below)
        if self._format == "parquet":
            from mnist_cli.batch.parquet import write_parquet

            write_parquet(file, records, self._scores)
            return
        # The bytes of a file name that are no UTF-8 get into the CSV as they are.
        text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="")
        write = stream_writer(text, self._format, self._scores)
        for chunk in chunked(records, EXPORT_CHUNK_RECORDS):
            write(chunk)
        text.detach()


def below(records: Iterable[BatchRecord], percent: float | None) -> Iterator[BatchRecord]:
    """What a person should look at: failures, and what was read less surely."""
    for record in records:
        if (
            percent is None
            or "error" in record
            or "uncertain" in record
            or record["probability"] < percent
        ):
            yield record
