"""Records in CSV, Parquet, JSON Lines and shards, as polars reads them; what needs review."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mnist_cli.batch import parquet, writers
from mnist_cli.batch.encoding import decode, encode, select_records
from mnist_cli.batch.journal import Journal, JournalSettings
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.results import needs_review, skipped, to_record
from mnist_cli.batch.shards import Shards, is_shard_folder
from mnist_cli.batch.writers import check_target, write_journal
from mnist_cli.errors import OutputError, UsageError
from mnist_cli.option_types import BatchFormat
from mnist_cli.records import BATCH_FIELDS, COLUMNS, AnyBatchRecord

TYPES = {
    "file": pl.String,
    "prediction": pl.Int8,
    "probability": pl.Float64,
    "model": pl.String,
    "uncertain": pl.Boolean,
    "error": pl.String,
    "digitness": pl.Float64,
}
SCORES = tuple(index / 45 for index in range(10))
SETTINGS: JournalSettings = {
    "sources": ["scans"],
    "glob": [],
    "recursive": True,
    "model": "k_cnn",
    "model_version": "0123",
    "version": "0.1.0",
    "input": None,
    "preprocess": "auto",
    "scores": True,
    "multi": False,
    "annotate": None,
}


def _prediction(file: str, digit: int, probability: float, **fields: object) -> AnyBatchRecord:
    fields |= {
        "prediction": digit,
        "probability": probability,
        "digitness": 0.1234,
        "model": "k_cnn",
        "scores": SCORES,
        "box": [1, 2, 30, 40],
    }
    return to_record(InputFile(file), fields, scores=True)


RECORDS: list[AnyBatchRecord] = [
    _prediction('a "quoted", name', 0, 99.99),
    to_record(InputFile("b\nc"), {"error": 'damaged, or "rare"\nindeed'}, scores=True),
    _prediction("ü漢", 9, 90.0),
    _prediction("d", 1, 100.0, uncertain=True),
    to_record(InputFile("e"), {"error": "the file is empty"}, scores=True),
]


def _written(records: list[AnyBatchRecord], format: BatchFormat, scores: bool = True) -> bytes:
    file = io.BytesIO()
    writers.write_records(file, encode(records).lines, format, scores)
    return file.getvalue()


@pytest.mark.parametrize("chunk_records", [2, 10_000])
@pytest.mark.parametrize("scores", [False, True])
def test_parquet(scores: bool, chunk_records: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "ROW_GROUP_RECORDS", chunk_records)
    records = RECORDS if scores else [_without_scores(record) for record in RECORDS]
    table = pl.read_parquet(_written(records, "parquet", scores))
    types = TYPES | {"scores": pl.List(pl.Float64)} if scores else TYPES
    assert dict(table.schema) == types
    assert list(table.schema) == [*COLUMNS, "scores"][: len(types)]
    for row, record in zip(table.to_dicts(), records, strict=True):
        assert row == _with_lists({name: record[name] for name in types})  # type: ignore[literal-required]


@pytest.mark.parametrize("chunk_records", [2, 10_000])
def test_csv(chunk_records: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "EXPORT_CHUNK_RECORDS", chunk_records)
    table = pl.read_csv(_written(RECORDS, "csv"), infer_schema_length=None)
    scores = [f"score_{digit}" for digit in range(10)]
    assert table.columns == [*COLUMNS, *scores]
    for row, record in zip(table.to_dicts(), RECORDS, strict=True):
        values = tuple(row.pop(name) for name in scores)
        assert values == (record.get("scores") or (None,) * 10)
        assert row == {name: record[name] for name in COLUMNS}  # type: ignore[literal-required]


def test_json_lines() -> None:
    table = pl.read_ndjson(_written(RECORDS, "jsonl"))
    assert table.columns == [*BATCH_FIELDS, "scores"]
    assert table.to_dicts() == list(map(_with_lists, RECORDS))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is full")
@pytest.mark.parametrize("format", ["jsonl", "csv"])
def test_a_full_disk(format: BatchFormat) -> None:
    """The error says nothing of stdout, so that `write_journal` can name the file."""
    with (
        Path("/dev/full").open("wb", buffering=0) as file,
        pytest.raises(OSError, match="No space"),
    ):
        writers.write_records(file, encode(RECORDS).lines, format, scores=True)


def test_what_needs_review() -> None:
    def files(records: Iterable[AnyBatchRecord]) -> list[str]:
        return [record["file"] for record in records]

    assert files(record for record in RECORDS if needs_review(record, 90.0)) == ["b\nc", "d", "e"]
    lines = encode([skipped(InputFile("Thumbs.db")), *RECORDS]).lines
    assert files(map(decode, select_records(lines, 90.1))) == ["b\nc", "ü漢", "d", "e"]
    assert list(select_records(lines, None)) == lines[1:]


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.jsonl"])
def test_a_file_from_a_journal(name: str, tmp_path: Path) -> None:
    target, folder = tmp_path / name, tmp_path / "folder"
    target.write_text("of an earlier batch")
    folder.mkdir()
    format = check_target(target, None)
    assert name == f"a.{format}"
    with Journal(target, SETTINGS, resume=False) as journal:
        journal.add(encode([*RECORDS, skipped(InputFile("Thumbs.db"))]).lines)
        write_journal(journal, target, format, scores=True, below=None)
        assert target.read_bytes() == _written(RECORDS, format)
        write_journal(journal, target, "jsonl", scores=True, below=99.0)
        assert len(target.read_bytes().splitlines()) == 4
        with pytest.raises(OutputError, match=r"^cannot write .*: Is a directory; try again with"):
            write_journal(journal, folder, format, scores=True, below=None)
        journal.remove()
    assert sorted(tmp_path.iterdir()) == [target, folder]


def test_the_temporary_file_is_a_new_file(tmp_path: Path) -> None:
    target, precious = tmp_path / "a.csv", tmp_path / ".a.csv.tmp"
    precious.write_text("precious")
    with Journal(target, SETTINGS, resume=False) as journal:
        journal.add(encode(RECORDS).lines)
        journal.temporary.symlink_to(precious)  # or what is left of a batch that was killed
        write_journal(journal, target, "csv", scores=True, below=None)
        journal.remove()
    assert target.read_bytes() == _written(RECORDS, "csv")
    assert not target.is_symlink()
    assert precious.read_text() == "precious"
    assert sorted(tmp_path.iterdir()) == [precious, target]


def test_a_target_that_is_not_a_file(tmp_path: Path) -> None:
    assert check_target(tmp_path / "a.CSV", None) == "csv"
    assert check_target(tmp_path / "a.csv", "parquet") == "parquet"
    assert check_target(tmp_path / "a.tsv", "csv") == "csv"
    for name in ("a", "a.json", "a.JSONL", "a.ndjson", ".a"):
        assert check_target(tmp_path / name, None) == "jsonl"
    for name in ("a.tsv", "a.xlsx", "a.csv.gz"):
        with pytest.raises(UsageError, match=r"^--output: \.\w+ is not the suffix of a format; "):
            check_target(tmp_path / name, None)
    with pytest.raises(OutputError, match=r"is not a regular file; choose another file$"):
        check_target(tmp_path, None)


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_shards(format: BatchFormat, tmp_path: Path) -> None:
    folder, source = tmp_path / "out", tmp_path / "scans"
    shards = Shards(folder.as_uri(), format, scores=True, below=99.0)
    shards.create([str(source), "-"])
    for _ in range(2):  # a shard can be written again
        shards.write(3, encode(RECORDS).lines)
    shards.finish()
    assert sorted(file.name for file in folder.iterdir()) == ["_SUCCESS", f"part-00003.{format}"]
    read = pl.read_parquet if format == "parquet" else pl.read_ndjson
    assert read(folder / f"part-00003.{format}")["file"].to_list() == ["b\nc", "ü漢", "d", "e"]
    with pytest.raises(OutputError, match=r"/out is not empty; choose another folder$"):
        shards.create([str(source)])
    inner = Shards((source / "out").as_uri(), format, scores=True, below=None)
    with pytest.raises(OutputError, match=r"/scans/out is inside .*/scans, which is read; choose"):
        inner.create([str(source)])
    assert not source.exists()


def test_what_is_a_folder_for_shards() -> None:
    assert [is_shard_folder(name) for name in ("digits", "digits/", "s3://b/digits", "a:b")] == [
        False,
        True,
        True,
        False,
    ]


def _without_scores(record: AnyBatchRecord) -> AnyBatchRecord:
    return {name: value for name, value in record.items() if name != "scores"}  # type: ignore[return-value]


def _with_lists(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as polars returns it."""
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in record.items()
    }
