"""Writes results, messages and progress to the streams of a command."""

import contextlib
import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from mnist_cli.errors import OutputClosed, OutputError


@dataclass
class Terminal:
    """The streams of a command: results go to `stdout`, everything else to `stderr`."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    debug: bool = False

    def report(self, level: str, message: str) -> None:
        """Print a message to stderr, in one line."""
        with contextlib.suppress(OSError):  # stderr may be closed
            print(f"mnist: {level}: {message}", file=self.stderr, flush=True)


def write(stdout: TextIO, text: str) -> None:
    """Write and flush, so that the reader of a pipe gets each result immediately.

    Raises:
        OutputClosed: the reading end of the pipe was closed.
        OutputError: the text cannot be written.
    """
    try:
        stdout.write(text)
        stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        reason = "stdout is closed" if error.errno == errno.EBADF else error.strerror
        raise OutputError(f"cannot write the results: {reason}") from error


@contextlib.contextmanager
def progress(stderr: TextIO, title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar if stderr is a terminal; yields a function that advances it."""
    if not stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stderr), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


def printable(name: str) -> str:
    """Return a file name with control and undecodable characters escaped, in one line."""
    return name if name.isprintable() else ascii(name)
