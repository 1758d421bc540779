"""Running a batch: the loop and its counts without a model, and a job from Python."""

import io
import time
from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest

from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.encoding import EncodedResults, encode
from mnist_cli.batch.job import Job
from mnist_cli.batch.listing import InputFile, Listing
from mnist_cli.batch.results import BatchResult, skipped, to_record
from mnist_cli.batch.run import run
from mnist_cli.batch.summary import Summary
from mnist_cli.errors import InputError, ModelError, UnreadableFileError
from mnist_cli.terminal import Terminal
from tests.running import SAMPLES

FILES = [f"{index:02}.png" for index in range(10)]


def _result(file: str) -> BatchResult:
    """File 05 cannot be read; text files are skipped; the others show their last digit."""
    if file.endswith(".txt"):
        return skipped(InputFile(file))
    fields: dict[str, object] = {"error": "damaged"}
    if file != "05.png":
        fields = {"prediction": int(file[1]), "probability": 99.0, "digitness": 1, "model": "m"}
    return to_record(InputFile(file), fields, scores=False)


class _Batch:
    """Reads three files at a time, and keeps what is written."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.progress: list[tuple[int, int]] = []
        self.closed = False

    def read_files(self, files: Iterator[InputFile]) -> Generator[EncodedResults, None, None]:
        results = [_result(file.file) for file in files]
        try:
            for start in range(0, len(results), 3):
                yield encode(results[start : start + 3])
        finally:
            self.closed = True

    def on_progress(self, summary: Summary) -> None:
        self.progress.append((summary.files, summary.failed))

    def run(
        self, files: list[str], recorded: Sequence[str] = (), *, fail_fast: bool = False
    ) -> Summary:
        return run(
            iter(map(InputFile, files)),
            self.read_files,
            self.written.extend,
            self.on_progress,
            recorded=map(_result, recorded),
            fail_fast=fail_fast,
        )


def _lines(files: list[str]) -> list[str]:
    return encode([_result(file) for file in files]).lines


def test_all_files_are_written_in_order() -> None:
    batch = _Batch()
    summary = batch.run(FILES)
    assert batch.written == _lines(FILES)
    assert batch.progress == [(3, 0), (6, 1), (9, 1), (10, 1)]
    assert (summary.files, summary.failed, summary.resumed) == (10, 1, 0)
    assert summary.digits == Counter({digit: 1 for digit in range(10) if digit != 5})


@pytest.mark.parametrize("count", range(11))
def test_recorded_files_are_counted_but_not_read(count: int) -> None:
    batch = _Batch()
    summary = batch.run(FILES, recorded=FILES[:count])
    assert batch.written == _lines(FILES[count:])
    assert (summary.files, summary.failed, summary.resumed) == (10, 1, count)


@pytest.mark.parametrize(
    ("files", "found"),
    [([*FILES[:1], *FILES[2:]], "02.png"), (FILES[:1], "no more files")],
)
def test_files_that_have_changed(files: list[str], found: str) -> None:
    batch = _Batch()
    with pytest.raises(InputError, match=f"changed: expected 01.png, found {found}; delete the "):
        batch.run(files, recorded=FILES[:3])
    assert batch.written == []


def test_names_that_are_not_utf_8_can_be_resumed() -> None:
    batch = _Batch()
    batch.run(["\udcff1.png", "02.png"], recorded=["\udcff1.png"])
    assert batch.written == _lines(["02.png"])


def test_fail_fast_writes_what_comes_before_the_error() -> None:
    batch = _Batch()
    with pytest.raises(UnreadableFileError, match=r"^05\.png: damaged$"):
        batch.run(FILES, fail_fast=True)
    assert batch.written == _lines(FILES[:5])
    assert batch.closed


def test_an_error_of_the_writer_stops_the_readers() -> None:
    batch = _Batch()

    def write(records: object) -> None:
        raise ModelError("gone")

    with pytest.raises(ModelError, match="gone"):
        run(map(InputFile, FILES), batch.read_files, write, batch.on_progress)
    assert batch.closed


def test_no_files() -> None:
    with pytest.raises(InputError, match=r"^no files to read; check the folder and --glob$"):
        _Batch().run([])
    with pytest.raises(
        InputError, match=r"^no pictures to read: none of the files \(2\) is a picture"
    ):
        _Batch().run(["a.txt", "b.txt"])


def test_skipped_files_are_counted_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    batch = _Batch()
    files = ["00.png", "a\n.txt", "b.txt", "05.png"]
    with caplog.at_level("INFO", "mnist_cli"):
        summary = batch.run(files, recorded=files[:2])
    assert batch.written == _lines(files[2:])
    assert (summary.files, summary.failed, summary.skipped) == (4, 1, 2)
    assert caplog.messages == ["skipped b.txt: not a picture"]
    merged = Summary()
    merged.merge(summary)
    assert str(merged).startswith("4 files, 1 failed, 2 skipped, ")


def test_a_summary_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    summary, shard = Summary(_started=now), Summary()
    now += 2
    assert str(summary) == "0 files, 0 failed, 0 images/s; digits none"
    shard.add(*map(_result, ["01.png", "02.png", "11.png", "05.png"]))
    for _ in range(1_000):
        summary.merge(shard)
    summary.resumed = 1_000
    assert str(summary) == (
        "4,000 files (1,000 from an earlier run), 1,000 failed, 1,500 images/s; "
        "digits 1: 2,000, 2: 1,000"
    )


def test_a_job_from_python(tmp_path: Path) -> None:
    stdout, stderr = io.StringIO(), io.StringIO()
    terminal = Terminal(io.BytesIO(), stdout, stderr)
    job = Job(
        Listing((str(SAMPLES),), ("MNIST-*.png",)),
        ReaderConfig("k_cnn", None, "auto", None, "auto", scores=False),
        processes=1,
    )
    summary = job.to_file(terminal, tmp_path / "digits.parquet", None, resume=False)
    table = pl.read_parquet(tmp_path / "digits.parquet")
    assert table["prediction"].to_list() == list(range(10))
    assert (summary.files, summary.digits) == (10, Counter(range(10)))
    job.to_stream(terminal, "csv")
    assert pl.read_csv(io.StringIO(stdout.getvalue()))["file"].equals(table["file"])
    assert stderr.getvalue() == ""
