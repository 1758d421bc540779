"""Writes records as JSON lines, CSV or text."""

import contextlib
import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TextIO, TypeAlias

from mnist_cli.errors import OutputError, UsageError
from mnist_cli.option_types import BatchFormat
from mnist_cli.records import COLUMNS, NUMBER_COLUMNS
from mnist_cli.terminal import write

WriteMappings: TypeAlias = Callable[[Iterable[Mapping[str, Any]]], None]

FORMAT_BY_SUFFIX: dict[str, BatchFormat] = {
    "": "jsonl",
    ".json": "jsonl",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
}


def record_writer(
    stdout: TextIO,
    format: BatchFormat | None,
    *,
    scores: bool = False,
    multi: bool = False,
    table: bool = False,
) -> Callable[[Sequence[Any]], None]:
    """Return a function that writes records; without a format, text or JSON as `wants_text` says.

    Text is a table of the records of a batch with `table`, else lines for the records of files.
    CSV has the columns of numbers with `multi`, and `score_0` to `score_9` with `scores`.
    """
    if wants_text(stdout, format):
        from mnist_cli.text.predictions import table_writer, write_predictions

        if table:
            return table_writer(stdout, multi=multi)
        return lambda records: write_predictions(stdout, records)
    if format == "csv":
        return csv_writer(stdout, scores=scores, multi=multi)
    return json_writer(stdout)


def wants_text(stdout: TextIO, format: BatchFormat | None) -> bool:
    """Whether to write text: the format is `text`, or it is None and stdout is a terminal."""
    return format == "text" or (format is None and stdout.isatty())


def target_format(
    target: Path, format: BatchFormat | None, formats: Sequence[BatchFormat]
) -> BatchFormat:
    """Check the file that results are written to, and return its format, by default by its suffix.

    Raises:
        UsageError: the format is none of `formats`, or the suffix none of FORMAT_BY_SUFFIX.
        OutputError: the target is not a regular file.
    """
    *others, last = formats
    if target.exists() and not target.is_file():
        raise OutputError(f"{target} is not a regular file", "choose another file")
    format = format or FORMAT_BY_SUFFIX.get(target.suffix.lower())
    if format is None:
        raise UsageError(
            f"--output: {target.suffix} is not the suffix of a format",
            f"use .{', .'.join(others)} or .{last}, or choose the format with --format",
        )
    if format not in formats:
        raise UsageError(
            f"--format: {format} cannot be written to {target}",
            f"use {', '.join(others)} or {last}",
        )
    return format


def check_columns(format: BatchFormat | None, *, scores: bool, multi: bool) -> None:
    """Check that the format has columns for the scores.

    Raises:
        UsageError: it is a table with one row for all digits of a picture.
    """
    if multi and scores and format in ("csv", "parquet"):
        raise UsageError(f"--scores cannot be used with --multi and {format}", "use --format json")


@contextlib.contextmanager
def replacing(target: Path, temporary: Path | None = None) -> Iterator[BinaryIO]:
    """Yield a file that becomes `target` when the block ends without an error.

    Until then it is `temporary`, by default a file of this process beside `target`.

    Raises:
        OSError: it cannot be written.
    """
    temporary = temporary or target.with_name(f".mnist-{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a process that was killed
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def text_file(target: Path) -> Iterator[TextIO]:
    """Yield a stream that becomes the file `target` when the block ends without an error.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        with replacing(target) as file:
            stream = io.TextIOWrapper(file, "utf-8", newline="")
            yield stream
            stream.detach()
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror}") from error


def json_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Return one line of JSON per record."""
    return "".join(to_json(record) + "\n" for record in records)


def to_json(record: Mapping[str, Any]) -> str:
    """Return a record as JSON in ASCII, which can be written in every encoding."""
    return json.dumps(record)


def json_writer(stdout: TextIO) -> WriteMappings:
    """Return a function that writes one line of JSON per record."""
    return lambda records: write(stdout, json_lines(records))


def csv_writer(stdout: TextIO, *, scores: bool, multi: bool = False) -> WriteMappings:
    """Write the header of a CSV table; return a function that writes a row per record.

    `multi` selects the columns of numbers, `scores` adds the columns `score_0` to `score_9`.
    """
    columns = NUMBER_COLUMNS if multi else COLUMNS
    score_columns = [f"score_{digit}" for digit in range(10) if scores]
    buffer = io.StringIO()
    rows = csv.DictWriter(buffer, [*columns, *score_columns], lineterminator="\n")

    def flush() -> None:
        write(stdout, buffer.getvalue())
        buffer.seek(0)
        buffer.truncate()

    def write_records(records: Iterable[Mapping[str, Any]]) -> None:
        for record in records:
            row = {key: record[key] for key in columns if key in record}
            values = enumerate(record.get("scores") or ())
            rows.writerow(row | {f"score_{digit}": score for digit, score in values})
        flush()

    rows.writeheader()
    flush()
    return write_records
