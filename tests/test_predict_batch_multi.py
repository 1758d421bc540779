"""`mnist predict-batch --multi`: all digits of each picture."""

import csv
import io
import json
import shutil
from pathlib import Path

import pyarrow.parquet
import pytest
from PIL import Image

from tests.drawing import PAPER, printed
from tests.running import SAMPLES, run, run_on_terminal

FIELDS = ["file", "text", "probability", "model", "uncertain", "error", "digits"]
COLUMNS = FIELDS[:-1]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two lines of digits, one digit, none, a damaged picture, and a file that is skipped."""
    top = tmp_path / "pictures"
    top.mkdir()
    Image.fromarray(printed(["2468", "3057"])[0]).save(top / "lines.png")
    shutil.copy(SAMPLES / "MNIST-3.png", top / "one.png")
    Image.new("L", (60, 60), PAPER).save(top / "blank.png")
    (top / "damaged.png").write_bytes((SAMPLES / "MNIST-0.png").read_bytes()[:200])
    (top / "note.txt").write_text("no picture")
    return top


@pytest.mark.parametrize("options", [[], ["--scores"]])
def test_the_records_are_those_of_predict(folder: Path, options: list[str]) -> None:
    result = run("predict-batch", "--multi", *options, folder)
    assert result.code == 5
    assert result.stderr.startswith("mnist: info: 5 files, 1 failed, 1 skipped, ")
    assert result.stderr.endswith("; digits 0: 1, 2: 1, 3: 2, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1\n")
    one_by_one = run("predict", "--multi", *options, *sorted(folder.glob("*.png"))).records
    for record, expected in zip(result.records, one_by_one, strict=True):
        assert list(record) == FIELDS
        assert {key: value for key, value in record.items() if value is not None} == expected
    assert [record["text"] for record in result.records] == ["", None, "2468\n3057", "3"]


def test_csv_parquet_and_text(folder: Path, tmp_path: Path) -> None:
    records = run("predict-batch", "--multi", folder).records
    files = sorted(folder.glob("*.png"))
    table = run("predict-batch", "--multi", "--format", "csv", folder).stdout
    assert table == run("predict", "--multi", "--format", "csv", *files).stdout
    assert list(csv.DictReader(io.StringIO(table)).fieldnames or ()) == COLUMNS
    for name in ("digits.csv", "digits.parquet", "digits.jsonl"):
        assert run("predict-batch", "--multi", folder, "-o", tmp_path / name).code == 5
    assert (tmp_path / "digits.csv").read_text() == table
    lines = (tmp_path / "digits.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == records
    rows = pyarrow.parquet.read_table(tmp_path / "digits.parquet").to_pylist()
    assert rows == [{name: record[name] for name in COLUMNS} for record in records]
    screen = run_on_terminal("predict-batch", "--multi", str(folder), env={"NO_COLOR": "1"})
    for expected in ("number", "2468", "3057", "no digits"):
        assert expected in screen


def test_below_keeps_pictures_without_digits(folder: Path) -> None:
    result = run("predict-batch", "--multi", "--below", "50", folder)
    names = [Path(record["file"]).name for record in result.records]
    assert names == ["blank.png", "damaged.png"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--preprocess", "plain"), "--preprocess: plain cannot be used with --multi"),
        (("--scores", "--format", "csv"), "--scores cannot be used with --multi and csv"),
        (("--scores", "-o", "a.parquet"), "--scores cannot be used with --multi and parquet"),
    ],
)
def test_options_that_exclude_each_other(options: tuple[str, ...], message: str) -> None:
    result = run("predict-batch", "--multi", *options, SAMPLES)
    assert (result.code, result.stdout, result.error) == (2, "", message)


def test_a_batch_is_not_resumed_without_multi(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "digits.jsonl"
    arguments = ("predict-batch", folder, "--glob", "[do]*", "--output", table)
    shutil.copy(SAMPLES / "MNIST-2.png", folder / "d.png")
    assert run(*arguments, "--multi", "--fail-fast").code == 5
    other = run(*arguments, "--resume")
    assert other.code == 3
    assert other.error.endswith("was written with multi True, not False")
    shutil.copy(SAMPLES / "MNIST-6.png", folder / "damaged.png")
    assert run(*arguments, "--multi", "--resume").code == 0
    texts = [json.loads(line)["text"] for line in table.read_text().splitlines()]
    assert texts == ["2", "6", "3"]
