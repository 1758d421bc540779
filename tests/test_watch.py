"""`mnist predict-batch --watch`: pictures are read as they appear."""

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from mnist_cli.batch.listing import Listing
from mnist_cli.batch.watch import watch
from tests.running import MNIST, ROOT, SAMPLES, run


def _watched(
    top: Path, steps: Sequence[Callable[[], object]], monkeypatch: pytest.MonkeyPatch
) -> list[str]:
    """The files that are yielded, by name, if `steps` happen between looks at the folder."""
    remaining = iter(steps)

    def next_step(seconds: float) -> None:
        assert seconds == 1
        try:
            next(remaining)()
        except StopIteration:
            raise KeyboardInterrupt from None

    monkeypatch.setattr("mnist_cli.batch.watch.time.sleep", next_step)
    names = []
    with contextlib.suppress(KeyboardInterrupt):
        for file in watch(lambda: Listing((str(top),)).files(io.BytesIO())):
            names.append(os.path.relpath(file.file, top))
    return names


def _nothing() -> None: ...


def test_existing_and_new_files_are_yielded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old").write_bytes(b"1")

    def create() -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "b").write_bytes(b"1")
        (tmp_path / "a").write_bytes(b"1")

    assert _watched(tmp_path, [_nothing, create, _nothing, _nothing], monkeypatch) == [
        "old",
        "a",
        "sub/b",
    ]


def test_a_file_is_yielded_when_it_no_longer_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def append() -> None:
        with (tmp_path / "a").open("ab") as file:
            file.write(b"1")

    yielded_after = []
    for pauses in range(4):
        steps = [(tmp_path / "a").touch, _nothing, append, append, append, *[_nothing] * pauses]
        yielded_after.append(_watched(tmp_path, steps, monkeypatch))
        (tmp_path / "a").unlink()
    assert yielded_after == [[], ["a"], ["a"], ["a"]]


def test_a_file_that_changes_is_yielded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, copy = tmp_path / "a", tmp_path / ".a"
    file.write_bytes(b"1")
    steps = [
        *(_nothing, lambda: file.write_bytes(b"22"), _nothing, _nothing),
        *(lambda: file.rename(copy), _nothing, lambda: copy.rename(file), _nothing),
    ]
    assert _watched(tmp_path, steps[:4], monkeypatch) == ["a", "a"]
    file.write_bytes(b"1")
    assert _watched(tmp_path, steps, monkeypatch) == ["a", "a", "a"]


def test_broken_links_and_a_missing_folder_are_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    top, target = tmp_path / "top", tmp_path / "target"
    steps = [
        top.mkdir,
        lambda: (top / "link").symlink_to(target),
        _nothing,
        lambda: target.write_bytes(b"1"),
        _nothing,
    ]
    assert _watched(top, steps, monkeypatch) == ["link"]


@contextlib.contextmanager
def _watching(*arguments: str | Path) -> "Iterator[subprocess.Popen[str]]":
    """Start `mnist predict-batch --watch`, and wait until it watches."""
    with subprocess.Popen(
        [*MNIST, "predict-batch", "--watch", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stderr
        line = process.stderr.readline()
        assert line.startswith("mnist: info: watching ") and line.endswith("(Ctrl-C stops)\n")
        try:
            yield process
        finally:
            process.kill()


def test_records_are_written_as_pictures_appear(tmp_path: Path) -> None:
    shutil.copy(SAMPLES / "MNIST-1.png", tmp_path / "first.png")
    with _watching(tmp_path) as process:
        assert process.stdout and process.stderr

        def next_record() -> tuple[str, int | None, str | None]:
            assert process.stdout
            record = json.loads(process.stdout.readline())
            return Path(record["file"]).name, record["prediction"], record["error"]

        assert next_record() == ("first.png", 1, None)
        (tmp_path / "note.txt").write_text("no picture")
        (tmp_path / "bad.png").write_bytes((SAMPLES / "MNIST-4.png").read_bytes()[:200])
        name, digit, error = next_record()
        assert (name, digit) == ("bad.png", None) and error
        shutil.copy(SAMPLES / "MNIST-4.png", tmp_path / "bad.png")
        assert next_record() == ("bad.png", 4, None)
        page, other = (Image.open(SAMPLES / f"MNIST-{digit}.png") for digit in (3, 8))
        page.save(tmp_path / "scan.tiff", save_all=True, append_images=[other])
        assert next_record() == ("scan.tiff", 3, None)
        assert "scan.tiff has several pages, only the first is read" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert (process.stdout.read(), process.stderr.read()) == ("", "")


def test_with_other_options(tmp_path: Path) -> None:
    source, out = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    shutil.copy(SAMPLES / "house-number-407.png", source)
    shutil.copy(SAMPLES / "MNIST-1.png", source)
    options = ("--multi", "--format", "csv", "--annotate", out, "--glob", "h*")
    with _watching(*options, source) as process:
        assert process.stdout
        header, row = (process.stdout.readline() for _ in range(2))
    assert header.startswith("file,text,")
    assert row.startswith(f"{source}/house-number-407.png,407,")
    assert [file.name for file in out.iterdir()] == ["house-number-407.png.png"]


@pytest.mark.parametrize(
    ("options", "code", "error"),
    [
        (("--output", "a.csv", "."), 2, "--watch cannot be used with --output"),
        (("--fail-fast", "."), 2, "--watch cannot be used with --fail-fast"),
        (("--processes", "2", "."), 2, "--watch cannot be used with --processes"),
        (("--ray", "local", "."), 2, "--watch cannot be used with --ray"),
        (("-",), 2, "--watch cannot be used with a list of paths on stdin"),
        (("--format", "parquet", "."), 2, "--format: parquet requires --output FILE"),
        (("missing",), 3, "missing: No such file or directory"),
    ],
)
def test_usage_errors(options: tuple[str, ...], code: int, error: str) -> None:
    result = run("predict-batch", "--watch", *options)
    assert (result.code, result.stdout, result.error) == (code, "", error)


def test_a_model_that_cannot_be_loaded_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "model.tflite").write_bytes(b"no model")
    options = ("--model", tmp_path / "model.tflite", "--format", "csv")
    result = run("predict-batch", "--watch", *options, tmp_path)
    assert (result.code, result.stdout) == (4, "")
    assert "model.tflite" in result.error
