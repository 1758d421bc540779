"""Results as lines of JSON, encoded by the workers; other processes pass most of them on unread."""

import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from mnist_cli.batch.results import BatchResult, needs_review
from mnist_cli.batch.summary import Summary
from mnist_cli.output import json_lines
from mnist_cli.records import AnyBatchRecord

# The start of a line for a skipped file.
SKIPPED_START = '{"skipped": '


class EncodedResults(NamedTuple):
    """The results of some files."""

    lines: list[str]
    """A line of JSON for each file, in order, as in the journal."""
    counts: Summary


def encode(results: Sequence[BatchResult], several_pages: int = 0) -> EncodedResults:
    """Encode and count results, of which `several_pages` are first pages."""
    counts = Summary(several_pages=several_pages)
    counts.add(*results)
    return EncodedResults([json_lines([result]) for result in results], counts)


def decode(line: str) -> AnyBatchRecord:
    """Return the record in a line."""
    record: AnyBatchRecord = json.loads(line)
    return record


def concatenate(parts: Iterable[EncodedResults]) -> EncodedResults:
    """Return the results of all parts, in order."""
    lines, counts = [], Summary()
    for part in parts:
        lines += part.lines
        counts.merge(part.counts)
    return EncodedResults(lines, counts)


def select_records(lines: Iterable[str], below: float | None) -> Iterator[str]:
    """Return the lines of records that need review, or of all records if `below` is None."""
    records = itertools.filterfalse(is_skipped, lines)
    if below is None:
        return records
    return (line for line in records if needs_review(decode(line), below))


def is_skipped(line: str) -> bool:
    """Whether a line is for a skipped file, which has no record."""
    return line.startswith(SKIPPED_START)
