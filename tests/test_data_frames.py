"""The output of `mnist predict-batch` in polars, pandas and DuckDB."""

import math
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from PIL import Image

from mnist_cli.loader import SHIPPED_MODELS
from tests.running import SAMPLES, run

COLUMNS = ["file", "prediction", "probability", "model", "uncertain", "error", "digitness"]
SCORES = [f"score_{digit}" for digit in range(10)]

Rows = list[dict[str, Any]]


def _duckdb(table: duckdb.DuckDBPyRelation) -> Rows:
    return [dict(zip(table.columns, row, strict=True)) for row in table.fetchall()]


# With the options that docs/batch.md shows.
READERS: dict[str, dict[str, Callable[[Path], Rows]]] = {
    "jsonl": {
        "polars": lambda file: pl.read_ndjson(file, infer_schema_length=None).to_dicts(),
        "pandas": lambda file: pd.read_json(file, lines=True).to_dict("records"),
        "duckdb": lambda file: _duckdb(duckdb.read_json(str(file), sample_size=-1)),
    },
    "csv": {
        "polars": lambda file: pl.read_csv(file).to_dicts(),
        "pandas": lambda file: pd.read_csv(file).to_dict("records"),
        "duckdb": lambda file: _duckdb(duckdb.read_csv(str(file))),
    },
    "parquet": {
        "polars": lambda file: pl.read_parquet(file).to_dicts(),
        "pandas": lambda file: pd.read_parquet(file).to_dict("records"),
        "duckdb": lambda file: _duckdb(duckdb.read_parquet(str(file))),
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """130 pictures, then one that cannot be read, one that is uncertain, and an odd name."""
    top = tmp_path_factory.mktemp("frames") / "pictures"
    top.mkdir()
    Image.open(SAMPLES / "MNIST-7.png").resize((28, 28)).save(top / "000.png")
    for index in range(1, 130):
        os.link(top / "000.png", top / f"{index:03}.png")
    (top / "130.png").touch()
    noise = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    Image.fromarray(noise).save(top / "131.png")
    shutil.copy(SAMPLES / "MNIST-4.png", top / "132-\udcff\udce9, ü.png")
    return top


@pytest.fixture(scope="module", params=["jsonl", "csv", "parquet"])
def table(request: pytest.FixtureRequest, folder: Path) -> Path:
    """The records of all formats, with scores."""
    file: Path = folder.parent / f"digits.{request.param}"
    assert run("predict-batch", folder, "--scores", "--output", file).code == 5
    return file


def _is_null(value: object) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


@pytest.mark.parametrize("library", ["polars", "pandas", "duckdb"])
def test_the_same_rows_everywhere(table: Path, library: str) -> None:
    rows = READERS[table.suffix[1:]][library](table)
    scores = SCORES if table.suffix == ".csv" else ["scores"]
    box = ["box"] if table.suffix == ".jsonl" else []
    assert list(rows[0]) == [*COLUMNS, *box, *scores]
    assert len(rows) == 133
    for index, row in enumerate(rows):
        nulls = {name for name, value in row.items() if _is_null(value)}
        if index == 130:
            assert nulls == row.keys() - {"file", "error"}
            assert row["error"] == "the file is empty"
            continue
        assert nulls == ({"error"} if index == 131 else {"error", "uncertain"})
        assert index != 131 or row["uncertain"] in (True, "True")
        assert row["model"] == "k_cnn"
        assert 0 <= row["digitness"] <= 1
        values = [row[name] for name in SCORES] if table.suffix == ".csv" else row["scores"]
        assert row["probability"] == pytest.approx(100 * max(values), abs=0.01)
        assert row["prediction"] == np.argmax(values)
    assert [row["prediction"] for row in rows[:130]] == [7] * 130
    names = [row["file"].rpartition("/")[2] for row in rows]
    assert names == [*(f"{index:03}.png" for index in range(132)), r"132-\xff\xe9, ü.png"]


@pytest.mark.parametrize("format", ["jsonl", "csv", "parquet"])
def test_a_model_whose_name_is_not_utf_8(format: str, tmp_path: Path) -> None:
    model = shutil.copytree(SHIPPED_MODELS / "k_ffnn", tmp_path / "mine-\udcff")
    table = tmp_path / f"digits.{format}"
    assert run("predict-batch", "-m", model, SAMPLES / "MNIST-7.png", "-o", table).code == 0
    assert [row["model"] for row in READERS[format]["polars"](table)] == [r"mine-\xff"]


def test_the_name_can_be_restored(folder: Path) -> None:
    """The recipe of docs/batch.md."""
    name = run("predict-batch", "--quiet", folder, "--glob", "132*").record["file"]
    restored = re.sub(
        rb"\\x([89a-f][0-9a-f])",
        lambda escape: bytes.fromhex(escape[1].decode()),
        name.encode(),
    )
    assert Path(os.fsdecode(restored)).is_file()


@pytest.mark.parametrize("options", [[], ["--scores"]])
def test_all_records_have_the_same_fields(folder: Path, options: list[str]) -> None:
    records = run("predict-batch", folder, *options).records
    fields = [*COLUMNS, "box", *(["scores"] if options else [])]
    assert all(list(record) == fields for record in records)
    below = run("predict-batch", folder, *options, "--below", "0").records
    assert below == records[130:132]
