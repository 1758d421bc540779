"""The streams of a command, and how it writes to them."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from mnist_cli.errors import OutputClosed, OutputError


@dataclass
class Terminal:
    """Results go to `stdout`, everything else to `stderr`; tests pass streams of their own."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    debug: bool = False

    def report(self, level: str, message: str) -> None:
        """Print one line for people to stderr."""
        with contextlib.suppress(OSError):  # stderr itself cannot be written
            print(f"mnist: {level}: {message}", file=self.stderr, flush=True)


def write(stdout: TextIO, text: str) -> None:
    """Write and flush, so that a reader gets each result as soon as it is there.

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
        raise OutputError(f"the results cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def progress(stderr: TextIO, title: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show a progress bar while the block runs, if stderr is a terminal.

    Yields a function that advances the bar by a count.
    """
    if not stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stderr), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


def printable(name: str) -> str:
    """A file name in one line: control and undecodable characters are escaped."""
    return name if name.isprintable() else ascii(name)
