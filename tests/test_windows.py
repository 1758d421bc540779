"""What is different on Windows: commands run in processes that look like those of Windows."""

import errno
import fcntl
import io
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path, PurePath, PureWindowsPath

import pytest

from mnist_cli.batch.annotations import without_root
from mnist_cli.errors import OutputClosed
from mnist_cli.file_lock import LOCKED_BYTE
from mnist_cli.terminal import write
from tests.running import ROOT, SAMPLES, Result, run, run_on_terminal, run_process
from tests.serving import serving

# Adds `windows/sitecustomize.py`; the encoding is that of pipes on Windows.
WINDOWS = {
    "PYTHONPATH": f"{ROOT / 'tests' / 'windows'}{os.pathsep}{ROOT}",
    "PYTHONIOENCODING": "cp1252",
}


def _run(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Result:
    return run_process(*arguments, stdin=stdin, cwd=cwd, env=WINDOWS)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for digit in (1, 4, 7):
        shutil.copy(SAMPLES / f"MNIST-{digit}.png", folder)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ("predict", SAMPLES / "MNIST-0.png"),
        ("predict", "--multi", SAMPLES / "house-number-407.png"),
        ("predict-batch", "--quiet", "--multi", "--processes", "2", SAMPLES),
        ("inspect-model", "k_cnn"),
    ],
)
def test_results_are_the_same(arguments: tuple[str | Path, ...]) -> None:
    result = _run(*arguments)
    assert (result.code, result.stderr) == (0, "")
    assert result.records == run(*arguments).records


def test_wildcards_are_expanded(pictures: Path) -> None:
    for command in ("predict", "predict-batch"):
        result = _run(command, "*-[17].png", "MNIST-?.png", "no-*.png", cwd=pictures)
        if command == "predict-batch":
            assert result.error == "*-[17].png: No such file or directory"
            result = _run(command, "MNIST-?.png", cwd=pictures)
        found = [record.get("prediction") for record in result.records]
        assert found == ([None, 1, 4, 7, None] if command == "predict" else [1, 4, 7])


def test_a_folder_is_no_picture(pictures: Path) -> None:
    result = _run("predict", pictures)
    assert result.code == 3
    assert result.error.endswith(
        "is a folder: list the pictures in it, or use `mnist predict-batch`"
    )


def test_names_in_a_pipe_are_utf_8(pictures: Path) -> None:
    shutil.copy(SAMPLES / "MNIST-7.png", pictures / "数字.png")
    result = _run("predict", "--format", "csv", "数字.png", cwd=pictures)
    assert result.stdout.splitlines()[1].startswith("数字.png,7,")


def test_an_interrupted_batch_is_resumed(pictures: Path, tmp_path: Path) -> None:
    target = tmp_path / "digits.csv"
    arguments = ("predict-batch", pictures, "--output", target, "--fail-fast", "--processes", "2")
    (pictures / "bad.png").write_bytes(b"")
    assert _run(*arguments).code == 5
    shutil.copy(SAMPLES / "MNIST-0.png", pictures / "bad.png")
    for _ in range(2):  # the second time, it replaces the file
        result = _run(*arguments, "--resume")
        assert result.code == 0, result.stderr
    assert [line.split(",")[1] for line in target.read_text().splitlines()[1:]] == list("1470")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["digits.csv", "pictures"]


def test_only_one_batch_writes_a_file(pictures: Path, tmp_path: Path) -> None:
    target = tmp_path / "digits.csv"
    with open(tmp_path / ".digits.csv.partial", "wb") as journal:
        fcntl.lockf(journal, fcntl.LOCK_EX, 1, LOCKED_BYTE)
        result = _run("predict-batch", pictures, "--output", target)
    assert (result.code, result.error) == (74, f"{journal.name} is in use by another batch")


def test_the_output_is_not_read(pictures: Path) -> None:
    for _ in range(2):
        result = _run("predict-batch", pictures, "--output", pictures / "digits.jsonl")
        assert "skipped" not in result.stderr and " 3 files, 0 failed, " in result.stderr


def test_a_list_of_paths_must_be_utf_8(pictures: Path) -> None:
    result = _run("predict-batch", "-", stdin=b"scan-\xfc.png\n")
    assert (result.code, result.tip) == (2, "convert it to UTF-8")
    assert "the list of paths on stdin is not UTF-8: b'scan-\\xfc.png'" in result.stderr
    lone_surrogate = "scan-\ud800.png".encode("utf-8", "surrogatepass")
    [record] = _run("predict-batch", "-q", "-", stdin=lone_surrogate).records
    assert record["file"] == r"scan-\xed\xa0\x80.png"


def test_annotated_pictures_of_several_drives_have_different_names() -> None:
    names = {r"C:\scans\7.png": "C/scans/7.png", r"\\server\scans\7.png": "server/scans/7.png"}
    for path, name in names.items():
        assert without_root(PureWindowsPath(path)) == PurePath(name)


def test_a_drive_is_no_scheme_of_a_uri() -> None:
    assert run("predict-batch", "C://scans").error == "C://scans: No such file or directory"


def test_the_result_of_a_self_test_is_kept(tmp_path: Path) -> None:
    model = tmp_path / "mine.tflite"
    shutil.copy(ROOT / "saved_models" / "k_cnn" / "assets.extra" / "model.tflite", model)
    for is_first in (True, False):
        result = _run("predict", "--model", model, SAMPLES / "MNIST-4.png")
        assert result.record["prediction"] == 4
        assert ("self-test" in result.stderr) == is_first


def test_a_process_waits_for_a_lock(tmp_path: Path) -> None:
    code = "import sys, mnist_cli.file_lock as f; f.lock(open(sys.argv[1], 'a'), wait=True)"
    with open(tmp_path / "lock", "w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX, 1, LOCKED_BYTE)
        program = [sys.executable, "-c", code, file.name]
        waiting = subprocess.Popen(program, env={**os.environ, **WINDOWS})
        with pytest.raises(subprocess.TimeoutExpired):
            waiting.wait(timeout=1)
    assert waiting.wait(timeout=60) == 0


def test_colours_work_on_a_console(tmp_path: Path) -> None:
    modes = tmp_path / "modes"
    screen = run_on_terminal("predict", "none.png", env={**WINDOWS, "CONSOLE_MODES": str(modes)})
    assert "\x1b[1;31merror:" in screen
    assert modes.read_text() == "1 7\n2 7\n"


def test_a_closed_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    class ClosedPipe(io.StringIO):
        def write(self, _text: str) -> int:
            raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(OutputClosed):
        write(ClosedPipe(), "7\n")


def test_the_server() -> None:
    with serving(env=WINDOWS) as server:
        assert server.ask("GET", "/").json["prediction"] == 0
        assert _run("serve", "--port", str(server.port)).code == 6
        assert "/javascript" in server.ask("GET", "/static/draw.js").headers["Content-Type"]
        picture = (SAMPLES / "house-number-407.png").read_bytes()
        answer = server.ask("POST", "/predict?multi=1", picture, Content_Type="image/png")
        assert (answer.status, answer.json["text"]) == (200, "407")
        code, _ = server.stop(signal.SIGUSR1)  # stands for SIGBREAK
        assert code == 0


@pytest.mark.slow
def test_what_ci_runs_on_windows() -> None:
    program = [sys.executable, str(ROOT / "tests" / "smoke.py")]
    result = run_process(program=program, env=WINDOWS)
    assert result.code == 0, result.stderr


def test_several_workers_are_not_supported() -> None:
    result = _run("serve", "--workers", "2")
    assert (result.code, result.error) == (2, "--workers is not supported on Windows")
