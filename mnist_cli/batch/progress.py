"""How far a batch has come, on a terminal."""

import threading
from collections.abc import Callable, Sequence
from typing import TextIO

from mnist_cli.batch.sinks import Write
from mnist_cli.batch.summary import Summary
from mnist_cli.records import BatchRecord


class Bar:
    """A bar with rate, failures and time left, on a terminal; nothing elsewhere.

    The files are counted beside the reading, so that it begins at once.
    """

    def __init__(self, stderr: TextIO, count: Callable[[], int | None]) -> None:
        self._shown = stderr.isatty()
        if not self._shown:
            return
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            BarColumn(),
            TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(),
            console=Console(file=stderr),
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, told="")
        threading.Thread(target=self._count, args=[count], daemon=True).start()

    def __enter__(self) -> "Bar":
        if self._shown:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._shown:
            self._progress.stop()

    def show(self, summary: Summary) -> None:
        """Move on."""
        if self._shown:
            failed = f", [red]{summary.failed:,} failed[/red]" if summary.failed else ""
            told = f"{summary.files:,} files, {summary.rate:,.0f} images/s{failed}"
            self._progress.update(self._task, completed=summary.files, told=told)

    def aside(self, write: Write) -> Write:
        """Write to the same terminal: the bar goes away meanwhile."""

        def write_aside(records: Sequence[BatchRecord]) -> None:
            self._progress.stop()
            write(records)
            self._progress.start()

        return write_aside if self._shown else write

    def _count(self, count: Callable[[], int | None]) -> None:
        self._progress.update(self._task, total=count())
