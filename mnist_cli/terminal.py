"""The streams that a command reads and writes; handed in, so that tests can hand in their own."""

import contextlib
from dataclasses import dataclass
from typing import BinaryIO, TextIO


@dataclass
class Terminal:
    """Results go to `stdout`, all else to `stderr`."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    debug: bool = False

    def report(self, level: str, message: str) -> None:
        """Tell people something, in one line."""
        with contextlib.suppress(OSError):  # there is no other place to tell that stderr is full
            print(f"mnist: {level}: {message}", file=self.stderr, flush=True)
