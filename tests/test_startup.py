"""The modules that a command imports at start-up."""

import socket
import subprocess
import sys

import pytest

from tests.running import MNIST, SAMPLES

HEAVY = {"numpy", "PIL", "flask", "tensorflow", "ai_edge_litert", "ray", "pyarrow"}


def _imported(*arguments: str, code: int = 0) -> set[str]:
    """The top-level packages that a run of `mnist` imports."""
    command = [sys.executable, "-X", "importtime", *MNIST[1:], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("predict", "--help"), ("predict-batch", "--help")]
)
def test_help_imports_nothing_heavy(arguments: tuple[str, ...]) -> None:
    imported = _imported(*arguments)
    assert "typer" in imported
    assert not imported & (HEAVY | {"rich", "pydantic"})


def test_predict_imports_only_what_it_needs() -> None:
    # Without --verbose, stderr is hidden while a model is loaded.
    imported = _imported("predict", "--verbose", str(SAMPLES / "MNIST-0.png"))
    assert {"numpy", "PIL", "ai_edge_litert"} <= imported
    assert not imported & {"tensorflow", "flask", "rich", "pydantic", "waitress"}


def test_inspecting_compiled_models_imports_no_runtime() -> None:
    for arguments in (("inspect-model",), ("inspect-model", "t_cnn")):
        assert not _imported(*arguments) & {"tensorflow", "ai_edge_litert", "flask", "PIL"}


def test_a_port_in_use_is_reported_before_slow_imports() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        imported = _imported("serve", "--port", str(taken.getsockname()[1]), code=6)
    assert "waitress" in imported
    assert not imported & (HEAVY | {"msgspec", "prometheus_client"})


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists the threads of a process")
def test_predict_starts_no_threads() -> None:
    """NumPy would start one for each core, which take CPU time and do nothing."""
    program = (
        "import os, sys\n"
        "from mnist_cli.__main__ import main\n"
        "os._exit = lambda code: print(code, len(os.listdir('/proc/self/task')))\n"
        "main()"
    )
    picture = str(SAMPLES / "MNIST-0.png")
    command = [sys.executable, "-c", program, "predict", picture]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 1"
