"""The results of the files of a batch: records, failures and skipped files."""

from collections.abc import Mapping
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


def needs_review(record: AnyBatchRecord, below: float) -> bool:
    """Whether a record has no digits, is uncertain, or has a probability under `below` percent."""
    probability = record["probability"]
    return probability is None or record["uncertain"] is True or probability < below
