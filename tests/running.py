"""Runs `mnist` as users do and returns its output."""

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mnist_cli.cli import main
from mnist_cli.terminal import Terminal

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "samples"

MNIST = [sys.executable, "-m", "mnist_cli"]
IMPORT_MAIN = "from mnist_cli.__main__ import main; main()"

# Ends the output on a pseudo-terminal. No program under test prints it.
END_OF_OUTPUT = b"\0"

# Root can read every file unless it drops these capabilities.
_DROP = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
UNPRIVILEGED_MNIST = [*_DROP, *MNIST] if os.geteuid() == 0 else MNIST


def without(*packages: str) -> list[str]:
    """The command of `mnist` as if these packages were not installed."""
    return [
        sys.executable,
        "-c",
        f"import sys; sys.modules.update(dict.fromkeys({packages}))\n{IMPORT_MAIN}",
    ]


WITHOUT_TENSORFLOW = without("tensorflow")


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended may wait for its parent."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@dataclass(frozen=True)
class Result:
    code: int
    stdout: str
    stderr: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout, one per line."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        [record] = self.records
        return record

    @property
    def error(self) -> str:
        """The only error on stderr, without its tip."""
        line, *tip = self.stderr.splitlines()
        assert line.startswith("mnist: error: ")
        assert all(line.startswith("mnist: tip: ") for line in tip) and len(tip) <= 1
        return line.removeprefix("mnist: error: ")

    @property
    def tip(self) -> str:
        """The second and last line on stderr."""
        _, line = self.stderr.splitlines()
        assert line.startswith("mnist: tip: ")
        return line.removeprefix("mnist: tip: ")


class Stream(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal


def run(*arguments: str | Path, stdin: bytes = b"", terminal: bool = False) -> Result:
    """Run `mnist` in this process, with `terminal` as if on a terminal."""
    stdout, stderr = Stream(terminal), Stream(terminal)
    # Typer prints help and versions to the streams of the process.
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        code = main([str(word) for word in arguments], Terminal(io.BytesIO(stdin), stdout, stderr))
    return Result(code, stdout.getvalue(), stderr.getvalue())


def run_process(
    *arguments: str | Path,
    program: list[str] = MNIST,
    stdin: bytes = b"",
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
) -> Result:
    """Run `mnist` in a subprocess with pipes."""
    done = subprocess.run(
        [*program, *arguments],
        input=stdin,
        capture_output=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def run_on_terminal(
    *arguments: str | Path, program: list[str] = MNIST, env: dict[str, str] | None = None
) -> str:
    """Run `mnist` in a subprocess on a pseudo-terminal; returns what the screen shows."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [*program, *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", **(env or {})},
    )

    def mark_the_end() -> None:
        process.wait()
        os.write(slave, END_OF_OUTPUT)

    # Linux can drop unread output when the last writer closes the terminal, so this end stays open.
    threading.Thread(target=mark_the_end).start()
    screen = b""
    while not screen.endswith(END_OF_OUTPUT):
        screen += os.read(master, 65536)
    os.close(slave)
    os.close(master)
    screen = screen.removesuffix(END_OF_OUTPUT)
    return screen.decode().replace("\r\n", "\n")
