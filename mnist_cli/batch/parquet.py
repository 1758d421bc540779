"""Writes records as Parquet, with pyarrow from the extra `parquet`."""

from collections.abc import Iterable
from typing import Any, BinaryIO

from mnist_cli.batch.chunks import chunked
from mnist_cli.errors import OutputError
from mnist_cli.records import BatchRecord

ROW_GROUP_RECORDS = 10_000


def check_pyarrow() -> None:
    """See that Parquet can be written, before anything is read.

    Raises:
        OutputError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise OutputError(
            f"Parquet needs pyarrow ({error}): pip install 'mnist-cli[parquet]'"
        ) from error


def write_parquet(file: BinaryIO, records: Iterable[BatchRecord], scores: bool) -> None:
    """Write a table; where a record lacks a field there is a null."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    fields: list[tuple[str, Any]] = [
        ("file", pa.string()),
        ("prediction", pa.int8()),
        ("probability", pa.float64()),
        ("model", pa.string()),
        ("error", pa.string()),
        ("digitness", pa.float64()),
        ("uncertain", pa.bool_()),
    ]
    if scores:
        fields.append(("scores", pa.list_(pa.float64())))
    with pq.ParquetWriter(file, pa.schema(fields)) as writer:
        for chunk in chunked(records, ROW_GROUP_RECORDS):
            rows = [record | {"file": as_utf8(record["file"])} for record in chunk]
            writer.write_batch(pa.RecordBatch.from_pylist(rows, writer.schema))


def as_utf8(name: str) -> str:
    """Bytes of a file name that are no UTF-8, which Parquet lacks, become `\\xff` and the like."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
