"""Exit codes, messages and tips of all errors, and the writer that raises some of them."""

import errno
import io
import pickle
from typing import NoReturn

import pytest

from mnist_cli import errors
from mnist_cli.cli import main
from mnist_cli.errors import ExitCode, MnistError, OutputClosed, OutputError
from mnist_cli.terminal import Terminal, printable, progress, write
from tests.running import Stream

CODES = [
    (errors.UsageError, 2),
    (errors.InputError, 3),
    (errors.UnsupportedMediaError, 3),
    (errors.ModelError, 4),
    (errors.UnknownModelError, 4),
    (errors.UnreadableFileError, 5),
    (errors.BindError, 6),
    (errors.ClusterError, 7),
    (errors.InternalError, 70),
    (errors.OutputError, 74),
]


def run_raising(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run a command that raises an error; returns the exit code and stderr."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr("mnist_cli.loader.load_model", fail)
    stderr = io.StringIO()
    code = main(["predict", "7.png"], Terminal(io.BytesIO(), io.StringIO(), stderr))
    return code, stderr.getvalue()


@pytest.mark.parametrize(("error", "code"), CODES)
def test_expected_errors(
    error: type[MnistError], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run_raising(error("reason"), monkeypatch) == (code, "mnist: error: reason\n")


def test_a_tip_is_a_second_line_and_part_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    error = errors.InputError("reason", "do this")
    assert run_raising(error, monkeypatch) == (3, "mnist: error: reason\nmnist: tip: do this\n")
    copy = pickle.loads(pickle.dumps(error))  # as it comes from a worker process
    assert str(copy) == str(error) == "reason; do this"


def test_a_closed_pipe_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_raising(OutputClosed(), monkeypatch) == (ExitCode.BROKEN_PIPE, "")


def test_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    code, stderr = run_raising(OSError(errno.ENOSPC, "No space left on device"), monkeypatch)
    assert code == ExitCode.OUTPUT
    assert stderr == "mnist: error: cannot write the results: No space left on device\n"


@pytest.mark.parametrize(
    "error", [ZeroDivisionError("reason"), OSError(errno.EIO, "reason"), ValueError("reason\nmore")]
)
def test_unexpected_errors(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    code, stderr = run_raising(error, monkeypatch)
    assert code == ExitCode.INTERNAL
    line, tip = stderr.splitlines()
    assert line.startswith(f"mnist: error: internal error: {type(error).__name__}: ")
    assert line.endswith("reason")
    assert tip == "mnist: tip: please report it with the output of --debug"


def test_every_exit_code_is_distinct_and_stable() -> None:
    assert {code.name: int(code) for code in ExitCode} == {
        "SUCCESS": 0,
        "USAGE": 2,
        "INPUT": 3,
        "MODEL": 4,
        "FILES": 5,
        "PORT": 6,
        "CLUSTER": 7,
        "INTERNAL": 70,
        "OUTPUT": 74,
        "INTERRUPTED": 130,
        "BROKEN_PIPE": 141,
    }
    tested = {ExitCode(code) for _, code in CODES} | {ExitCode.BROKEN_PIPE}
    assert {error.exit_code for error in subclasses(MnistError)} == tested


def subclasses(error: type[MnistError]) -> list[type[MnistError]]:
    return [found for child in error.__subclasses__() for found in (child, *subclasses(child))]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (BrokenPipeError(), OutputClosed),
        (OSError(errno.ENOSPC, "No space left on device"), OutputError),
    ],
)
def test_write_converts_errors(error: OSError, expected: type[MnistError]) -> None:
    class Broken(io.StringIO):
        def flush(self) -> None:
            raise error

    with pytest.raises(expected):
        write(Broken(), "text")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a b.png", "a b.png"),
        ("七.png", "七.png"),
        ("a\nb.png", r"'a\nb.png'"),
        ("\x1b[31m", r"'\x1b[31m'"),
        ("\udcff.png", r"'\udcff.png'"),
        ("", ""),
    ],
)
def test_printable(name: str, expected: str) -> None:
    assert printable(name) == expected
    assert printable(name).isprintable()


def test_progress_is_shown_on_a_terminal_only() -> None:
    for is_terminal in (True, False):
        stderr = Stream(is_terminal)
        with progress(stderr, "reading", 2) as advance:
            advance(2)
        assert ("reading" in stderr.getvalue()) == is_terminal
