"""`mnist predict-batch`: its input, its output, and that no record is lost."""

import csv
import io
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mnist_cli.records import BATCH_FIELDS
from tests.running import (
    IMPORT_MAIN,
    MNIST,
    ROOT,
    SAMPLES,
    Result,
    is_running,
    run,
    run_on_terminal,
    run_process,
    wait_until,
    without,
)

Digits = npt.NDArray[np.uint8]

BAD = {
    "empty.png": b"",
    "garbage.png": b"no picture",
    "truncated.png": (SAMPLES / "MNIST-0.png").read_bytes()[:200],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures in folders, three bad ones, a broken link, and files that are skipped."""
    top = tmp_path / "pictures"
    (top / "a" / ".hidden").mkdir(parents=True)
    (top / "a-b").mkdir()
    for place in ("9.png", "a/7.png", "a-b/1.png", "a.png", ".hidden.png", "a/.hidden/2.png"):
        digit = 3 if "hidden" in place or place == "a.png" else place[-5]
        shutil.copy(SAMPLES / f"MNIST-{digit}.png", top / place)
    for name, content in BAD.items():
        (top / name).write_bytes(content)
    (top / "a" / "note.txt").write_text("no picture")
    (top / "gone.png").symlink_to("nowhere.png")
    (top / "a" / "up").symlink_to("..")
    os.mkfifo(top / "pipe")
    return top


@pytest.fixture
def many(tmp_path: Path, digits: Digits) -> Path:
    """1,500 pictures of 28x28."""
    top = tmp_path / "many"
    top.mkdir()
    for index, digit in enumerate(digits[:4500:3]):
        Image.fromarray(digit).save(top / f"{index:04}.png")
    return top


def _names(result: Result, top: Path) -> list[str]:
    return [os.path.relpath(record["file"], top) for record in result.records]


def test_one_record_per_file_sorted_by_path(folder: Path) -> None:
    result = run("predict-batch", folder)
    assert result.code == 5
    names = _names(result, folder)
    readable = ["9.png", "a-b/1.png", "a.png", "a/7.png"]
    assert names == sorted([*readable, *BAD, "gone.png"])
    answers = dict(zip(names, result.records, strict=True))
    assert [answers[name]["prediction"] for name in readable] == [9, 1, 3, 7]
    assert answers["gone.png"]["error"] == "no such file: check the path"
    assert all(tuple(record) == BATCH_FIELDS for record in result.records)
    for name in BAD:
        present = {field for field, value in answers[name].items() if value is not None}
        assert present == {"file", "error"}
    [summary] = result.stderr.splitlines()
    assert summary.startswith("mnist: info: 9 files, 4 failed, 1 skipped, ")
    assert summary.endswith("; digits 1: 1, 3: 1, 7: 1, 9: 1")


@pytest.mark.parametrize("options", [(), ("--multi",), ("--output", "digits.csv")])
def test_several_pages_give_a_warning(
    options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second = (Image.open(SAMPLES / f"MNIST-{digit}.png") for digit in (3, 8))
    first.save(tmp_path / "scan.tiff", save_all=True, append_images=[second])
    second.save(tmp_path / "single.tiff")
    result = run("predict-batch", *options, "scan.tiff", "single.tiff")
    warning, summary = result.stderr.splitlines()
    assert warning == "mnist: warning: 1 file has several pages, of which only the first was read"
    assert summary.endswith("; digits 3: 1, 8: 1")
    assert run("predict-batch", "--quiet", *options, "scan.tiff").stderr == ""


def test_records_are_the_same_as_from_predict() -> None:
    for options in ([], ["--scores"], ["--preprocess", "plain"], ["--model", "k_ffnn"]):
        batch = run("predict-batch", "--quiet", *options, "--glob", "*.png", SAMPLES)
        assert (batch.code, batch.stderr) == (0, "")
        one_by_one = run("predict", *options, *sorted(SAMPLES.glob("*.png")))
        # Batches are multiplied in another order.
        for record, expected in zip(batch.records, one_by_one.records, strict=True):
            record = _without_nulls(record)
            scores = record.pop("scores", [])
            assert scores == pytest.approx(expected.pop("scores", []), abs=1e-6)
            for name in ("probability", "digitness"):
                assert record[name] == pytest.approx(expected[name], abs=1e-3)
                del record[name], expected[name]
            assert record == expected


@pytest.mark.parametrize("output", [[], ["--output", "digits.jsonl"]])
def test_workers_encode_the_records(
    output: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process writes the records of all cores, so it must not spend time on each of them."""
    monkeypatch.chdir(tmp_path)
    dumps = json.dumps

    def encode(value: dict[str, object]) -> str:
        assert "file" not in value
        return dumps(value)

    monkeypatch.setattr(json, "dumps", encode)
    result = run("predict-batch", SAMPLES, *output)
    lines = (tmp_path / "digits.jsonl").read_text() if output else result.stdout
    assert len(lines.splitlines()) == 16


def test_files_can_be_selected(folder: Path) -> None:
    def names(*arguments: str | Path, stdin: bytes = b"") -> list[str]:
        return _names(run("predict-batch", *arguments, stdin=stdin), folder)

    assert names(folder, "--glob", "a*.png", "--glob", "9*") == ["9.png", "a.png"]
    assert names(folder, "--no-recursive", "--glob", "*.png") == [
        "9.png",
        "a.png",
        "empty.png",
        "garbage.png",
        "gone.png",
        "truncated.png",
    ]
    assert names(folder, "--glob", "*.PNG") == names(folder, "--glob", "*.png")
    assert names(folder / "a-b", folder / "garbage.png") == ["a-b/1.png", "garbage.png"]
    listed = f"{folder}/a/7.png\n\n{folder}/missing.png\n{folder}/9.png"
    assert names("-", stdin=listed.encode()) == ["a/7.png", "missing.png", "9.png"]
    assert names(folder / "a.png", "-", stdin=listed.encode())[:2] == ["a.png", "a/7.png"]


def test_files_that_are_not_pictures_are_skipped(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "MNIST-7.png", tmp_path / "7.png")
    shutil.copy(SAMPLES / "MNIST-1.png", tmp_path / "1.db")  # a picture all the same
    others = {
        "Thumbs.db": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500),
        "desktop.ini": "[ViewState]\r\nMode=\r\n".encode("utf-16"),
        "LICENSE": b"MIT License\n",
        "BMI and PDF.txt": b"BMI: P5, %PDF",
        "empty": b"",
        "data.csv": b"file,prediction\n",
        "page.svg.html": b"<!doctype html><html><svg></svg>",
    }
    for name, content in others.items():
        (tmp_path / name).write_bytes(content)
    result = run("predict-batch", tmp_path)
    assert result.code == 0
    assert [record["prediction"] for record in result.records] == [1, 7]
    assert result.stderr.startswith("mnist: info: 9 files, 0 failed, 7 skipped, ")
    verbose = run("predict-batch", "--verbose", tmp_path).stderr
    assert f"mnist: info: skipped {tmp_path}/Thumbs.db: not a picture\n" in verbose
    assert run("predict-batch", "--quiet", tmp_path / "LICENSE").error.startswith("no pictures")


def test_pictures_that_cannot_be_read_are_not_skipped(tmp_path: Path) -> None:
    pictures = {
        "a.JPG": b"",
        "b.heic": b"damaged",
        "c": (SAMPLES / "MNIST-1.png").read_bytes()[:100],
        "d.txt": b"%PDF-1.7",
        "e": b'<?xml version="1.0"?>\n<!-- by hand -->\n<svg width="28"/>',
        "f.tmp": b"\0\0\0\x18ftypheic",
        "g": b"P5\n28 28 255\n",
        "h": b"BM\x36\x0c\0\0\0\0\0\0\x36",
    }
    for name, content in pictures.items():
        (tmp_path / name).write_bytes(content)
    result = run("predict-batch", tmp_path)
    assert result.code == 5
    assert [Path(record["file"]).name for record in result.records] == list(pictures)
    assert "8 files, 8 failed, " in result.stderr


def test_skipped_files_are_in_no_output(folder: Path, tmp_path: Path) -> None:
    expected = run("predict-batch", folder).stdout
    table = tmp_path / "digits.jsonl"
    assert run("predict-batch", folder, "--output", table).code == 5
    assert table.read_text() == expected
    result = run("predict-batch", folder / "a" / "note.txt", "--output", tmp_path / "none.csv")
    assert result.code == 3
    assert sorted(tmp_path.iterdir()) == [table, folder]


def test_unusual_names_are_preserved(tmp_path: Path) -> None:
    names = [b"a b.png", b'quote".png', b"line\nbreak.png", b"latin-\xe9.png", "ü漢.png".encode()]
    (tmp_path / "odd").mkdir()
    top = os.fsencode(tmp_path / "odd")
    paths = [top + b"/" + name for name in sorted(names)]
    expected = [path.replace(b"\xe9", rb"\xe9").decode() for path in paths]
    for path in paths:
        shutil.copy(os.fsencode(SAMPLES / "MNIST-5.png"), path)
    for result in (
        run_process("predict-batch", "-q", os.fsdecode(top)),
        run_process("predict-batch", "-q", "-0", "-", stdin=b"\0".join(paths)),
    ):
        assert result.code == 0
        assert [record["file"] for record in result.records] == expected

    table = tmp_path / "odd.csv"
    assert run("predict-batch", os.fsdecode(top), "-o", table).code == 0
    rows = csv.reader(io.StringIO(table.read_text("utf-8"), newline=""))
    assert [row[0] for row in list(rows)[1:]] == expected


def test_special_files_do_not_block(folder: Path) -> None:
    (folder / "link").symlink_to("pipe")
    (folder / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
    assert not {"link", "zero", "socket"} & {*_names(run("predict-batch", folder), folder)}
    listed = b"\n".join(os.fsencode(folder / name) for name in ("pipe", "link", "zero", "socket"))
    result = run("predict-batch", "-", stdin=listed)
    assert result.code == 5
    assert [record["error"] for record in result.records] == [
        "is a named pipe: use a regular file",
        "is a named pipe: use a regular file",
        "is a device: use a regular file",
        "is a socket, or a device that is not ready: use a regular file",
    ]


def test_only_records_that_need_review(folder: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    Image.fromarray(noise).save(folder / "noise.png")
    everything = {record["file"]: record for record in run("predict-batch", folder).records}
    limit = 99.9
    expected = [
        record
        for record in everything.values()
        if record["error"] or record["uncertain"] or record["probability"] < limit
    ]
    assert str(folder / "noise.png") in [record["file"] for record in expected]
    result = run("predict-batch", folder, "--below", str(limit))
    assert (result.code, result.records) == (5, expected)
    assert "10 files, 4 failed, 1 skipped, " in result.stderr
    run("predict-batch", folder, "--below", str(limit), "-o", tmp_path / "look.jsonl")
    lines = (tmp_path / "look.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == expected


def test_csv_and_parquet(folder: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    records = run("predict-batch", "--scores", folder).records
    for format, file in (("csv", tmp_path / "a.csv"), ("parquet", tmp_path / "a.parquet")):
        assert run("predict-batch", "--scores", folder, "--output", file).code == 5
        other = tmp_path / "other"
        run("predict-batch", "--scores", folder, "--output", other, "--format", format)
        assert other.read_bytes() == file.read_bytes()
    columns = ["file", "prediction", "probability", "model", "uncertain", "error", "digitness"]
    with (tmp_path / "a.csv").open(newline="") as text:
        rows = list(csv.DictReader(text))
    assert list(rows[0]) == columns + [f"score_{digit}" for digit in range(10)]
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet").to_pylist()
    assert list(table[0]) == [*columns, "scores"]
    for record, row, cells in zip(records, rows, table, strict=True):
        assert cells == {name: value for name, value in record.items() if name != "box"}
        assert row["file"] == record["file"]
        digit, scores = record["prediction"], record["scores"]
        assert row["prediction"] == ("" if digit is None else str(digit))
        assert row["score_3"] == ("" if scores is None else str(scores[3]))
    on_stdout = run("predict-batch", "--scores", folder, "--format", "csv").stdout
    assert list(csv.DictReader(io.StringIO(on_stdout))) == rows


def test_parquet_without_pyarrow(folder: Path, tmp_path: Path) -> None:
    result = run_process(
        *("predict-batch", str(folder), "-o", str(tmp_path / "a.parquet")),
        program=without("pyarrow"),
    )
    assert result.code == 74
    assert result.tip.endswith("pip install 'mnist-cli[parquet]'")


def test_a_terminal_gets_a_table_and_a_bar(folder: Path) -> None:
    screen = run_on_terminal("predict-batch", str(folder), env={"COLUMNS": "100"})
    assert "probability" in screen
    assert screen.count("digit\x1b") == 1
    assert "\x1b[?25l" in screen  # the bar hides the cursor, and shows it again
    assert screen.rindex("\x1b[?25h") > screen.rindex("\x1b[?25l")
    assert "the file is empty" in screen
    assert "9 files, 4 failed, 1 skipped, " in screen.splitlines()[-1]
    assert "uncertain" not in screen
    quiet = run_on_terminal(
        "predict-batch", "--quiet", "--format", "jsonl", str(SAMPLES / "MNIST-0.png")
    )
    assert json.loads(quiet[quiet.index("{") : quiet.index("}") + 1])["prediction"] == 0


def test_a_dumb_terminal_gets_no_bar(folder: Path) -> None:
    screen = run_on_terminal("predict-batch", str(folder), env={"TERM": "dumb"})
    assert "\x1b" not in screen and "\n\n" not in screen
    assert "9 files, 4 failed, 1 skipped, " in screen.splitlines()[-1]


def test_the_table_marks_uncertain_digits(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (28, 28), np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    screen = run_on_terminal("predict-batch", str(tmp_path), env={"COLUMNS": "200"})
    assert re.search(r"noise\.png\S*  \S*uncertain", screen)


def test_output_files_are_not_read(folder: Path) -> None:
    table = folder / "digits.jsonl"
    for _ in range(2):  # the second time, the file exists
        assert run("predict-batch", folder, "--output", table).code == 5
        assert len(table.read_text().splitlines()) == 8
    table.unlink()
    with table.open("w") as stdout:
        subprocess.run([*MNIST, "predict-batch", folder], stdout=stdout, check=False, cwd=ROOT)
    assert len(table.read_text().splitlines()) == 8


def test_a_minus_as_output_is_stdout(folder: Path) -> None:
    for format in ("jsonl", "csv"):
        options = ("predict-batch", folder, "--format", format)
        assert run(*options, "--output", "-").stdout == run(*options).stdout


@pytest.mark.parametrize("content", [b"a.png\0b.png\0", "a.png\n".encode("utf-16")])
def test_a_list_that_is_not_text(content: bytes, tmp_path: Path) -> None:
    result = run("predict-batch", "-", "--output", tmp_path / "digits.csv", stdin=content)
    assert result.code == 2
    assert result.error.startswith("the list of paths on stdin ")
    assert not list(tmp_path.iterdir())


def test_the_output_file_appears_when_it_is_complete(many: Path, tmp_path: Path) -> None:
    table = tmp_path / "digits.jsonl"
    table.write_text("of an earlier batch\n")
    with _started(many, table, is_endless=True) as batch:
        _wait_for_records(table, 10_000)
        assert table.read_text() == "of an earlier batch\n"
        assert batch.stdin
        batch.stdin.close()
        assert batch.wait() == 0
    assert len(table.read_text().splitlines()) == 1500
    assert sorted(file.name for file in tmp_path.glob("*digits*")) == ["digits.jsonl"]


@pytest.mark.slow
def test_killed_at_random_and_resumed(many: Path, tmp_path: Path) -> None:
    (many / "0007.png").write_bytes(b"bad")
    (many / "0008.txt").write_text("skipped")
    whole, table = tmp_path / "whole.jsonl", tmp_path / "digits.jsonl"
    paths = _paths(many)
    command = ["predict-batch", "--quiet", "--processes", "1", "-", "--output"]
    done = run_process(*command, whole, stdin=paths)
    assert (done.code, done.stderr) == (5, "")
    rng = random.Random(1998)
    # The records of the last chunks are written when the list ends.
    for size in sorted(rng.sample(range(whole.stat().st_size * 2 // 5), 20)):
        with _started(many, table, "--processes", "1", "--resume", is_endless=True) as batch:
            _wait_for_records(table, size)
            time.sleep(rng.uniform(0, 0.03))
            batch.kill()
            assert batch.wait() == -signal.SIGKILL
        assert not table.exists()
        assert size < _size(_journal(table)) < whole.stat().st_size
        # As if the last write had reached the disk only in part.
        os.truncate(_journal(table), _size(_journal(table)) - rng.choice([0, 1, 30]))
    done = run_process(*command, table, "--resume", stdin=paths)
    assert (done.code, done.stderr) == (5, "")
    assert table.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["digits.csv", "digits.parquet"])
def test_ctrl_c_and_resumed(name: str, many: Path, tmp_path: Path) -> None:
    whole, table = tmp_path / f"whole-{name}", tmp_path / name
    assert run("predict-batch", many, "--output", whole).code == 0
    with _started(many, table, is_endless=True) as batch:
        _wait_for_records(table, 20_000)
        batch.send_signal(signal.SIGINT)
        assert batch.wait() == 130
    result = run("predict-batch", "-", "--output", table, "--resume", stdin=_paths(many))
    assert result.code == 0
    assert " from an earlier run), 0 failed" in result.stderr
    assert table.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_a_full_disk_and_resumed(many: Path, tmp_path: Path) -> None:
    whole, table = tmp_path / "whole.jsonl", tmp_path / "digits.jsonl"
    assert run("predict-batch", many, "--output", whole).code == 0
    # Writing beyond this file size fails, as on a full disk.
    program = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)); "
        + IMPORT_MAIN
    )
    result = run_process(
        *("predict-batch", str(many), "--output", str(table)),
        program=[sys.executable, "-c", program],
    )
    assert result.code == 74
    assert "File too large" in result.error
    assert result.tip == "continue with --resume"
    assert _journal(table).read_bytes().endswith(b"}\n")
    assert run("predict-batch", many, "--output", table, "--resume").code == 0
    assert table.read_bytes() == whole.read_bytes()


def test_batches_that_cannot_be_resumed(many: Path, tmp_path: Path) -> None:
    table = tmp_path / "digits.jsonl"
    paths = _paths(many)
    with _started(many, table, is_endless=True) as batch:
        _wait_for_records(table, 20_000)
        second = run("predict-batch", "-", "--output", table, "--resume", stdin=paths)
        assert (second.code, second.error) == (
            74,
            f"{_journal(table)} is in use by another batch",
        )
        batch.kill()
    recorded = _journal(table).read_bytes()
    again = run("predict-batch", "-", "--output", table, stdin=paths)
    assert again.code == 3
    assert again.tip == "continue with --resume, or delete the file to start over"
    other = run("predict-batch", "-", "-o", table, "--resume", "--model", "t_cnn", stdin=paths)
    assert other.code == 3
    assert other.error == f"{_journal(table)} was written with model k_cnn, not t_cnn"
    (many / "0001.png").unlink()
    changed = run("predict-batch", "-", "--output", table, "--resume", stdin=_paths(many))
    assert changed.code == 3
    assert f"expected {many / '0001.png'}, found {many / '0002.png'}" in changed.error
    assert _journal(table).read_bytes() == recorded


def test_fail_fast(folder: Path, tmp_path: Path) -> None:
    result = run("predict-batch", folder, "--fail-fast")
    assert result.code == 5
    assert result.error == f"{folder}/empty.png: the file is empty"
    assert _names(result, folder) == ["9.png", "a-b/1.png", "a.png", "a/7.png"]
    table = tmp_path / "digits.jsonl"
    arguments = ("predict-batch", folder, "--glob", "[9ae]*", "--output", table)
    assert run(*arguments, "--fail-fast").code == 5
    assert not table.exists()
    shutil.copy(SAMPLES / "MNIST-6.png", folder / "empty.png")  # the repaired file is read again
    assert run(*arguments, "--fail-fast", "--resume").code == 0
    last = json.loads(table.read_text().splitlines()[-1])
    assert (last["file"], last["prediction"]) == (str(folder / "empty.png"), 6)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["missing"], 3, "missing: No such file or directory"),
        (["{empty}"], 3, "no files to read"),
        (["{empty}", "--output", "{empty}/a.csv"], 3, "no files to read"),
        (["{empty}", "--resume"], 2, "--resume requires --output FILE"),
        (["{empty}", "--format", "parquet"], 2, "parquet requires --output"),
        (
            ["{empty}", "--format", "text", "--output", "a"],
            2,
            "--format: text cannot be written to a",
        ),
        (["{empty}", "--output", "-", "--resume"], 2, "--resume requires --output FILE"),
        (["{empty}", "--output", "-", "--format", "parquet"], 2, "parquet requires --output"),
        (["{empty}", "--output", "{empty}/a.xlsx"], 2, ".xlsx is not the suffix of a format"),
        (["{empty}", "--below", "nan"], 2, "must be a number between 0 and 100"),
        (["{empty}", "--output", "{empty}/none/a.csv"], 74, "No such file or directory"),
        (["{empty}", "--output", "{empty}"], 74, "is not a regular file"),
        (["{empty}", "--model", "t_ccn"], 4, "no model named 't_ccn'"),
    ],
)
def test_usage_errors(arguments: list[str], code: int, message: str, tmp_path: Path) -> None:
    result = run("predict-batch", *(word.format(empty=tmp_path) for word in arguments))
    assert (result.code, result.stdout) == (code, "")
    assert message in result.error
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_folders_deeper_than_the_path_limit(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "MNIST-8.png", tmp_path / "8.png")
    here = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(2_100):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.chdir(here)
    result = run("predict-batch", tmp_path)
    assert result.code == 5
    assert [record["prediction"] for record in result.records] == [8, None]
    assert result.records[1]["error"] == "cannot list the folder: File name too long"
    subprocess.run(["rm", "-rf", tmp_path / "d"], check=True)


def test_a_closed_pipe(many: Path) -> None:
    with _started(many, None) as batch:
        assert batch.stdout and batch.stderr
        assert json.loads(batch.stdout.readline())["file"] == str(many / "0000.png")
        batch.stdout.close()
        assert (batch.wait(), batch.stderr.read()) == (141, b"")


@pytest.mark.slow
def test_a_killed_worker_is_restarted(many: Path, tmp_path: Path) -> None:
    whole, table = tmp_path / "whole.jsonl", tmp_path / "digits.jsonl"
    assert run("predict-batch", many, "--output", whole).code == 0
    with _started(many, table, "--processes", "2") as batch:
        for size in (20_000, 60_000):
            _wait_for_records(table, size)
            os.kill(_children(batch.pid)[0], signal.SIGKILL)
        assert batch.wait() == 0
    assert table.read_bytes() == whole.read_bytes()


@pytest.mark.slow
def test_no_worker_survives_a_kill(many: Path, tmp_path: Path) -> None:
    with _started(many, tmp_path / "digits.jsonl") as batch:
        _wait_for_records(tmp_path / "digits.jsonl", 10_000)
        children = _children(batch.pid)
        assert children
        batch.kill()
        batch.wait()
        wait_until(lambda: not any(map(is_running, children)))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a parent-death signal")
def test_a_worker_that_hangs_ends_with_its_parent(many: Path, tmp_path: Path) -> None:
    with _started(many, tmp_path / "digits.jsonl") as batch:
        _wait_for_records(tmp_path / "digits.jsonl", 10_000)
        [child, *_] = _children(batch.pid)
        os.kill(child, signal.SIGSTOP)  # it cannot even notice that its stdin is closed
        batch.kill()
        batch.wait()
        wait_until(lambda: not is_running(child), seconds=10)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the threads of a process")
def test_a_worker_has_one_thread(many: Path, tmp_path: Path) -> None:
    """There is a worker for each core, so that more threads would only wait for each other."""
    with _started(many, tmp_path / "digits.jsonl") as batch:
        _wait_for_records(tmp_path / "digits.jsonl", 10_000)
        tasks = [Path(f"/proc/{child}/task") for child in _children(batch.pid)]
        threads = [len(list(task.iterdir())) for task in tasks]
        batch.kill()
    assert threads and set(threads) == {1}


def test_tensorflow_is_not_needed(tmp_path: Path) -> None:
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text("raise ImportError('not wanted')")
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    result = run_process("predict-batch", "--glob", "*.png", str(SAMPLES), env={"PYTHONPATH": path})
    assert result.code == 0


@pytest.mark.slow
def test_memory_is_bounded(tmp_path: Path) -> None:
    folder = tmp_path / "many"
    folder.mkdir()
    for index in range(40_000):
        source = SAMPLES / f"MNIST-{index % 10}.png"
        if index < 10:
            Image.open(source).resize((28, 28)).save(folder / f"{index:06}.png")
        else:
            os.link(folder / f"{index % 10:06}.png", folder / f"{index:06}.png")
    peak = 0
    options = ("--preprocess", "plain", "-m", "t_ffnn", "--processes", "2")
    command = [*MNIST, "predict-batch", *options, str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as batch:
        assert batch.stdout
        reader = threading.Thread(target=batch.stdout.read, daemon=True)
        reader.start()
        while batch.poll() is None:
            peak = max(peak, sum(map(_resident, [batch.pid, *_children(batch.pid)])))
            time.sleep(0.05)
    assert batch.returncode == 0
    assert 0 < peak < 250e6


def _without_nulls(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if value is not None}


def _paths(folder: Path) -> bytes:
    """The list of files, as for stdin."""
    return b"".join(os.fsencode(file) + b"\n" for file in sorted(folder.iterdir()))


def _started(
    folder: Path, table: Path | None, *options: str, is_endless: bool = False
) -> "subprocess.Popen[bytes]":
    """Start a batch; an endless one reads a list of files from stdin, which stays open."""
    source = "-" if is_endless else str(folder)
    command = [*MNIST, "predict-batch", "--quiet", source, *options]
    if table:
        command += ["--output", str(table)]
    pipe = subprocess.PIPE
    batch = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=pipe)
    if is_endless:
        assert batch.stdin
        batch.stdin.write(_paths(folder))
        batch.stdin.flush()
    return batch


def _journal(table: Path) -> Path:
    return table.with_name(f".{table.name}.partial")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _wait_for_records(table: Path, size: int) -> None:
    wait_until(lambda: _size(_journal(table)) > size)


def _children(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for children in lists for child in children.read_text().split()]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, IndexError):  # it has just ended
        return 0


def test_the_summary_of_one_file(tmp_path: Path) -> None:
    result = run("predict-batch", SAMPLES / "MNIST-3.png", "-o", tmp_path / "digits.csv")
    assert result.stderr.startswith("mnist: info: 1 file, 0 failed, ")
