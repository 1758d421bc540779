"""Writes records to a stream or into a file, as text, JSON Lines, CSV or Parquet."""

import io
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from mnist_cli import output
from mnist_cli.batch.encoding import decode, select_records
from mnist_cli.batch.journal import Journal
from mnist_cli.batch.parquet import check_pyarrow, write_parquet
from mnist_cli.chunks import chunked
from mnist_cli.errors import OutputError
from mnist_cli.option_types import BatchFormat
from mnist_cli.terminal import write

EXPORT_CHUNK_RECORDS = 10_000

WriteLines = Callable[[Sequence[str]], None]
"""Writes results that are encoded as lines of JSON."""


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
            lines = select_records(journal.lines(), below)
            write_records(file, lines, format, scores, multi)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror}", "try again with --resume"
        ) from error


def write_records(
    file: BinaryIO,
    lines: Iterable[str],
    format: BatchFormat,
    scores: bool,
    multi: bool = False,
) -> None:
    """Write all records as JSON Lines, CSV or Parquet.

    Raises:
        OSError: they cannot be written.
    """
    if format == "parquet":
        write_parquet(file, map(decode, lines), scores, multi)
        return
    text = io.StringIO()
    write_lines = stream_writer(text, format, scores=scores, multi=multi)
    for chunk in chunked(lines, EXPORT_CHUNK_RECORDS):
        write_lines(chunk)
        file.write(text.getvalue().encode())
        text.seek(0)
        text.truncate()
    file.write(text.getvalue().encode())  # the header of a table without records


def stream_writer(
    stdout: TextIO, format: BatchFormat | None, *, scores: bool, multi: bool
) -> WriteLines:
    """Return a function that writes records as JSON Lines, CSV or the rows of a table."""
    if format != "csv" and not output.wants_text(stdout, format):
        return lambda lines: write(stdout, "".join(lines))
    write_records = output.record_writer(stdout, format, scores=scores, multi=multi, table=True)
    return lambda lines: write_records(list(map(decode, lines)))
