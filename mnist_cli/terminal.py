"""Writes results, messages and progress to the streams of a command."""

import contextlib
import errno
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any, BinaryIO, TextIO, TypeAlias

from mnist_cli.errors import OutputClosed, OutputError
from mnist_cli.option_types import LogFormat

NOTICE = logging.WARNING + 5
"""The level of log messages that everybody should see, except with `--quiet`."""
logging.addLevelName(NOTICE, "info")  # `INFO` would change the level of that name
TIP = NOTICE + 1
"""The level of log messages that say how to do better."""
logging.addLevelName(TIP, "tip")

# Red, yellow and cyan, as parameters of the escape sequence that terminals call SGR.
LEVEL_COLOURS = {"error": 31, "warning": 33, "tip": 36}

Status: TypeAlias = Callable[[str], AbstractContextManager[Any]]
"""Shows a message while a block runs."""


def is_smart_terminal(stream: TextIO) -> bool:
    """Whether a stream is a terminal that can move its cursor and show colours."""
    return stream.isatty() and os.environ.get("TERM") not in ("dumb", "unknown")


@dataclass
class Terminal:
    """The streams of a command: results go to `stdout`, everything else to `stderr`."""

    stdin: BinaryIO
    stdout: TextIO
    stderr: TextIO
    debug: bool = False
    log_format: LogFormat = "text"

    def keep_stderr_visible(self) -> None:
        """Write to a copy of stderr, which is not hidden with the output of native libraries."""
        with contextlib.suppress(OSError):  # stderr is closed, or has no descriptor
            self.stderr = _copied(self.stderr)

    def report(self, level: str, message: str) -> None:
        """Print a message to stderr, in one line."""
        if self.log_format == "json":
            self._print(json.dumps({"time": timestamp(), "level": level, "message": message}))
        else:
            self._print(f"mnist: {self._coloured(level)} {one_line(message)}")

    @contextlib.contextmanager
    def status(self, message: str) -> Iterator[None]:
        """Show a spinner with a message on a terminal, except with `--quiet` or `--verbose`."""
        level = logging.getLogger("mnist_cli").getEffectiveLevel()
        if not is_smart_terminal(self.stderr) or level != logging.WARNING:
            yield
            return
        from rich.console import Console

        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):  # stderr has no descriptor
                console = Console(file=stack.enter_context(_copied(self.stderr)))
                stack.enter_context(console.status(message))
            yield

    def report_traceback(self, error: BaseException) -> None:
        """Print the traceback of an error to stderr."""
        text = "".join(traceback.format_exception(error)).rstrip("\n")
        if self.log_format == "json":
            self.report("debug", text)
        else:
            self._print("\n".join(map(one_line, text.split("\n"))))

    def _coloured(self, level: str) -> str:
        """Return a level with its colon, in colour on a terminal."""
        # Rich would take longer to import than most commands with an error run.
        has_colours = is_smart_terminal(self.stderr) and not os.environ.get("NO_COLOR")
        if not has_colours or level not in LEVEL_COLOURS:
            return f"{level}:"
        return f"\x1b[1;{LEVEL_COLOURS[level]}m{level}:\x1b[0m"

    def _print(self, text: str) -> None:
        with contextlib.suppress(OSError):  # stderr may be closed
            print(text, file=self.stderr, flush=True)


def _copied(stream: TextIO) -> TextIO:
    """Return a stream with a copy of the descriptor; OSError if there is none."""
    copy = os.dup(stream.fileno())
    return open(copy, "w", encoding=stream.encoding, errors=stream.errors)


def write(stdout: TextIO, text: str) -> None:
    """Write and flush, so that the reader of a pipe gets each result immediately.

    Raises:
        OutputClosed: the reading end of the pipe was closed.
        OutputError: the text cannot be written.
    """
    try:
        stdout.write(text)
        stdout.flush()
    except OSError as error:
        # Windows reports an invalid argument: https://bugs.python.org/issue19612
        is_pipe_of_windows = sys.platform == "win32" and error.errno == errno.EINVAL
        if is_pipe_of_windows or isinstance(error, BrokenPipeError):
            raise OutputClosed from error
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


def one_line(message: str) -> str:
    """Return a message with control and undecodable characters escaped, such as line breaks."""
    if message.isprintable():
        return message
    return "".join(
        character if character.isprintable() else ascii(character)[1:-1] for character in message
    )


def timestamp() -> str:
    """Return the current time in UTC as in RFC 3339, with milliseconds."""
    now = datetime.now(timezone.utc)
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
