"""The results of the files of a batch: records, failures and skipped files."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, TypeAlias, TypedDict, cast, final

from mnist_cli.batch.listing import InputFile, to_utf8
from mnist_cli.records import BATCH_FIELDS, NUMBER_FIELDS, AnyBatchRecord


@final
class SkippedFile(TypedDict):
    """A file that is not a picture; it is counted, but no record is written for it."""

    skipped: Literal[True]
    file: str


BatchResult: TypeAlias = AnyBatchRecord | SkippedFile


def to_record(
    file: InputFile, fields: Mapping[str, Any], *, scores: bool, multi: bool = False
) -> AnyBatchRecord:
    """Return the record of a file: all fields in the same order, None where there is nothing."""
    names: tuple[str, ...] = BATCH_FIELDS
    if multi:
        names = NUMBER_FIELDS  # each of the digits has its scores
    elif scores:
        names = (*BATCH_FIELDS, "scores")
    record = cast(AnyBatchRecord, dict.fromkeys(names) | {"file": file.utf8_name, **fields})
    if record["model"] is not None:
        record["model"] = to_utf8(record["model"])
    return record


def skipped(file: InputFile) -> SkippedFile:
    """Return the result of a file that is not a picture."""
    return {"skipped": True, "file": file.utf8_name}


def is_failed(result: BatchResult) -> bool:
    """Whether a picture could not be read."""
    return "skipped" not in result and result["error"] is not None


def select_records(results: Iterable[BatchResult], below: float | None) -> Iterator[AnyBatchRecord]:
    """Yield the records that need review, or all of them if `below` is None.

    Skipped files have no record.
    """
    for result in results:
        if "skipped" not in result and (below is None or needs_review(result, below)):
            yield result


def needs_review(record: AnyBatchRecord, below: float) -> bool:
    """Whether a record has no digits, is uncertain, or has a probability under `below` percent."""
    probability = record["probability"]
    return probability is None or record["uncertain"] is True or probability < below
