"""Writes records as Parquet, with pyarrow from the extra `parquet`."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, BinaryIO, Literal

from mnist_cli.chunks import chunked
from mnist_cli.errors import OutputError, install_hint
from mnist_cli.records import COLUMNS, NUMBER_COLUMNS, AnyBatchRecord, column_types

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP_RECORDS = 10_000


def check_pyarrow() -> None:
    """Check that Parquet can be written.

    Raises:
        OutputError: pyarrow is not installed.
    """
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise OutputError(f"Parquet requires pyarrow ({error})", install_hint("parquet")) from error


def write_parquet(
    file: BinaryIO, records: Iterable[AnyBatchRecord], scores: bool, multi: bool
) -> None:
    """Write a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, _schema(scores, multi)) as writer:
        for chunk in chunked(records, ROW_GROUP_RECORDS):
            writer.write_batch(pa.RecordBatch.from_pylist(chunk, writer.schema))


def _schema(scores: bool, multi: bool) -> "pa.Schema":
    import pyarrow as pa

    arrow_types = {
        str: pa.string(),
        int: pa.int8(),  # a digit is the only integer
        float: pa.float64(),
        Literal[True]: pa.bool_(),
        Sequence[float]: pa.list_(pa.float64()),
    }
    types = column_types()
    columns = NUMBER_COLUMNS if multi else COLUMNS
    names = (*columns, "scores") if scores else columns
    return pa.schema([(name, arrow_types[types[name]]) for name in names])
