"""Writes records as JSON lines, CSV or text."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO, TypeAlias

from mnist_cli.option_types import BatchFormat, Format
from mnist_cli.records import COLUMNS, FileRecord
from mnist_cli.terminal import write

WriteMappings: TypeAlias = Callable[[Iterable[Mapping[str, Any]]], None]


def record_writer(
    stdout: TextIO, format: Format | None, *, scores: bool = False
) -> Callable[[Sequence[FileRecord]], None]:
    """Return a function that writes records; without a format, text or JSON as `wants_text` says.

    `scores` adds the columns `score_0` to `score_9` to CSV.
    """
    if wants_text(stdout, format):
        from mnist_cli.text import write_predictions

        return lambda records: write_predictions(stdout, records)
    if format == "csv":
        return csv_writer(stdout, scores=scores)
    return json_writer(stdout)


def wants_text(stdout: TextIO, format: Format | BatchFormat | None) -> bool:
    """Whether to write text: the format is `text`, or it is None and stdout is a terminal."""
    return format == "text" or (format is None and stdout.isatty())


def json_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """Return one line of JSON per record."""
    return "".join(to_json(record) + "\n" for record in records)


def to_json(record: Mapping[str, Any]) -> str:
    """Return a record as JSON in ASCII, which can be written in every encoding."""
    return json.dumps(record)


def json_writer(stdout: TextIO) -> WriteMappings:
    """Return a function that writes one line of JSON per record."""
    return lambda records: write(stdout, json_lines(records))


def csv_writer(stdout: TextIO, *, scores: bool) -> WriteMappings:
    """Write the header of a CSV table; return a function that writes a row per record.

    `scores` adds the columns `score_0` to `score_9`.
    """
    columns = [*COLUMNS, *(f"score_{digit}" for digit in range(10) if scores)]
    buffer = io.StringIO()
    rows = csv.DictWriter(buffer, columns, lineterminator="\n")

    def flush() -> None:
        write(stdout, buffer.getvalue())
        buffer.seek(0)
        buffer.truncate()

    def write_records(records: Iterable[Mapping[str, Any]]) -> None:
        for record in records:
            row = {key: record[key] for key in COLUMNS if key in record}
            values = enumerate(record.get("scores") or ())
            rows.writerow(row | {f"score_{digit}": score for digit, score in values})
        flush()

    rows.writeheader()
    flush()
    return write_records
