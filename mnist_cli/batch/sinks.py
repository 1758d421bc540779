"""Writes the records of a batch to a stream or into one file."""

import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, TextIO

from mnist_cli import output
from mnist_cli.batch.chunks import chunked
from mnist_cli.batch.journal import Journal, JournalSettings
from mnist_cli.batch.parquet import check_pyarrow, write_parquet
from mnist_cli.errors import OutputError
from mnist_cli.option_types import BatchFormat
from mnist_cli.records import BatchRecord

EXPORT_CHUNK_RECORDS = 10_000
FORMAT_BY_SUFFIX: dict[str, BatchFormat] = {".csv": "csv", ".parquet": "parquet"}

WriteRecords = Callable[[Sequence[BatchRecord]], None]


class Sink(Protocol):
    """Takes the records of a batch, in order."""

    def recorded(self) -> Iterator[BatchRecord]:
        """Yield the records of an interrupted run; exhaust it before the first `add`."""

    def add(self, records: Sequence[BatchRecord]) -> None:
        """Take the next records."""

    def finish(self) -> None:
        """Complete the output: all records were added."""


class StreamSink:
    """Writes records as soon as they are added."""

    def __init__(self, write: WriteRecords, below: float | None) -> None:
        self._write = write
        self._below = below

    def recorded(self) -> Iterator[BatchRecord]:
        return iter(())

    def add(self, records: Sequence[BatchRecord]) -> None:
        if selected := list(select_for_review(records, self._below)):
            self._write(selected)

    def finish(self) -> None:
        pass


class FileSink:
    """Collects records in a journal, and writes the file when the batch is complete."""

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
        """Start the journal, or continue it; the default format depends on the target's suffix.

        Raises:
            InputError: an existing journal cannot be continued.
            OutputError: the file cannot be written, or pyarrow is not installed.
        """
        if target.exists() and not target.is_file():
            raise OutputError(f"{target} is not a regular file: choose another file")
        self._format = format or FORMAT_BY_SUFFIX.get(target.suffix.lower(), "jsonl")
        if self._format == "parquet":
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
        return self._journal.records()

    def add(self, records: Sequence[BatchRecord]) -> None:
        self._journal.add(records)

    def finish(self) -> None:
        """Write the file under a temporary name, then rename it and remove the journal.

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
            raise OutputError(
                f"cannot write {self._target}: {error.strerror}; try again with --resume"
            ) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        self._journal.remove()

    def _export(self, file: BinaryIO) -> None:
        if self._format == "jsonl" and self._below is None:
            self._journal.copy_records(file)
        else:
            records = select_for_review(self._journal.records(), self._below)
            write_records(file, records, self._format, self._scores)


def stream_writer(stdout: TextIO, format: BatchFormat | None, scores: bool) -> WriteRecords:
    """A function that writes records; the default format is as in `output.wants_text`."""
    if output.wants_text(stdout, format):
        from mnist_cli.text import table_writer

        return table_writer(stdout)
    return output.record_writer(stdout, "csv" if format == "csv" else "json", scores=scores)


def write_records(
    file: BinaryIO, records: Iterable[BatchRecord], format: BatchFormat, scores: bool
) -> None:
    """Write all records as JSON Lines, CSV or Parquet."""
    if format == "parquet":
        write_parquet(file, records, scores)
        return
    # CSV keeps the bytes of a file name that are not UTF-8.
    text = io.TextIOWrapper(file, "utf-8", errors="surrogateescape", newline="")
    write = stream_writer(text, format, scores)
    for chunk in chunked(records, EXPORT_CHUNK_RECORDS):
        write(chunk)
    text.detach()


def select_for_review(records: Iterable[BatchRecord], below: float | None) -> Iterator[BatchRecord]:
    """Yield the records that need review, or all of them if `below` is None."""
    return (record for record in records if below is None or needs_review(record, below))


def needs_review(record: BatchRecord, below: float) -> bool:
    """Whether a person should check it: an error, uncertain, or less than `below` percent."""
    return "error" in record or "uncertain" in record or record["probability"] < below
