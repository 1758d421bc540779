"""The results of the files of a batch: records, failures and skipped files."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypedDict, cast, final

from mnist_cli.batch.listing import InputFile, to_utf8
from mnist_cli.records import BATCH_FIELDS, BatchRecord


@final
class SkippedFile(TypedDict):
    """A file that is not a picture; it is counted, but no record is written for it."""

    skipped: Literal[True]
    file: str


BatchResult: TypeAlias = BatchRecord | SkippedFile


def to_record(file: InputFile, fields: Mapping[str, Any], *, scores: bool) -> BatchRecord:
    """Return the record of a file: all fields in the same order, None where there is nothing."""
    names = (*BATCH_FIELDS, "scores") if scores else BATCH_FIELDS
    record = cast(BatchRecord, dict.fromkeys(names) | {"file": file.utf8_name, **fields})
    if record["model"] is not None:
        record["model"] = to_utf8(record["model"])
    return record


def skipped(file: InputFile) -> SkippedFile:
    """Return the result of a file that is not a picture."""
    return {"skipped": True, "file": file.utf8_name}


def is_failed(result: BatchResult) -> bool:
    """Whether a picture could not be read."""
    return "skipped" not in result and result["error"] is not None


def select_records(results: Iterable[BatchResult], below: float | None) -> Iterator[BatchRecord]:
    """Yield the records that need review, or all of them if `below` is None.

    Skipped files have no record.
    """
    for result in results:
        if "skipped" not in result and (below is None or needs_review(result, below)):
            yield result


def needs_review(record: BatchRecord, below: float) -> bool:
    """Whether a record is an error, uncertain, or has a probability under `below` percent."""
    probability = record["probability"]
    return probability is None or record["uncertain"] is True or probability < below
