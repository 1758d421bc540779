"""Shows the progress of a batch on a terminal."""

import threading
from collections.abc import Callable, Sequence
from typing import TextIO

from mnist_cli.batch.summary import Summary
from mnist_cli.batch.writers import WriteLines
from mnist_cli.terminal import is_smart_terminal


class ProgressBar:
    """A bar with rate, failures and time left; nothing unless stderr is a terminal with a cursor.

    A thread counts the files, so that reading starts at once.
    """

    def __init__(self, stderr: TextIO, count: Callable[[], int | None]) -> None:
        self._enabled = is_smart_terminal(stderr)
        if not self._enabled:
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[status]}"),
            TimeRemainingColumn(),
            console=Console(file=stderr),
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, status="")
        threading.Thread(target=self._set_total, args=[count], daemon=True).start()

    def __enter__(self) -> "ProgressBar":
        if self._enabled:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._enabled:
            self._progress.stop()

    def update(self, summary: Summary) -> None:
        """Show the counts so far."""
        if self._enabled:
            failed = f", [red]{summary.failed:,} failed[/red]" if summary.failed else ""
            status = f"{summary.files:,} files, {summary.rate:,.0f} images/s{failed}"
            self._progress.update(self._task, completed=summary.files, status=status)

    def hidden_while(self, write: WriteLines) -> WriteLines:
        """A function that writes to the same terminal, and hides the bar meanwhile."""

        def write_while_hidden(lines: Sequence[str]) -> None:
            self._progress.stop()
            write(lines)
            self._progress.start()

        return write_while_hidden if self._enabled else write

    def _set_total(self, count: Callable[[], int | None]) -> None:
        self._progress.update(self._task, total=count())
