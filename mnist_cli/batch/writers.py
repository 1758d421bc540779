"""Writes records to a stream or into a file, as text, JSON Lines, CSV or Parquet."""

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from mnist_cli import output
from mnist_cli.batch.journal import Journal
from mnist_cli.batch.parquet import check_pyarrow, write_parquet
from mnist_cli.batch.results import BatchResult, select_records
from mnist_cli.chunks import chunked
from mnist_cli.errors import OutputError
from mnist_cli.option_types import BatchFormat
from mnist_cli.records import AnyBatchRecord

EXPORT_CHUNK_RECORDS = 10_000

WriteRecords = Callable[[Sequence[AnyBatchRecord]], None]
WriteResults = Callable[[Sequence[BatchResult]], None]


def check_target(target: Path, format: BatchFormat | None) -> BatchFormat:
    """Check the target file and return its format, by default that of its suffix.

    Raises:
        UsageError: its format or its suffix is not supported.
        OutputError: the target is not a regular file, or pyarrow is required and not installed.
    """
    format = output.target_format(target, format, ("jsonl", "csv", "parquet"))
    if format == "parquet":
        check_pyarrow()
    return format


def write_journal(
    journal: Journal,
    target: Path,
    format: BatchFormat,
    scores: bool,
    below: float | None,
    multi: bool = False,
) -> None:
    """Write the records of a journal into a file, which appears when it is complete.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        with output.replacing(target, journal.temporary) as file:
            if format == "jsonl" and below is None:
                journal.copy_records(file)
            else:
                records = select_records(journal.results(), below)
                write_records(file, records, format, scores, multi)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror}", "try again with --resume"
        ) from error


def write_records(
    file: BinaryIO,
    records: Iterable[AnyBatchRecord],
    format: BatchFormat,
    scores: bool,
    multi: bool = False,
) -> None:
    """Write all records as JSON Lines, CSV or Parquet."""
    if format == "parquet":
        write_parquet(file, records, scores, multi)
        return
    text = io.TextIOWrapper(file, "utf-8", newline="")
    write = output.record_writer(text, format, scores=scores, multi=multi, table=True)
    for chunk in chunked(records, EXPORT_CHUNK_RECORDS):
        write(chunk)
    text.detach()
