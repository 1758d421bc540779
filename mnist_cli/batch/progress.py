"""How far a batch has come, on a terminal."""

import threading
from collections.abc import Callable, Sequence
from typing import TextIO

from mnist_cli.batch.sinks import WriteRecords
from mnist_cli.batch.summary import Summary
from mnist_cli.records import BatchRecord


class ProgressBar:
    """A bar with rate, failures and time left, on a terminal; nothing elsewhere.

    The files are counted beside the reading, so that it begins at once.
    """

    def __init__(self, stderr: TextIO, count: Callable[[], int | None]) -> None:
        self._enabled = stderr.isatty()
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
        threading.Thread(target=self._count, args=[count], daemon=True).start()

    def __enter__(self) -> "ProgressBar":
        if self._enabled:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._enabled:
            self._progress.stop()

    def update(self, summary: Summary) -> None:
        """Move on."""
        if self._enabled:
            failed = f", [red]{summary.failed:,} failed[/red]" if summary.failed else ""
            status = f"{summary.files:,} files, {summary.rate:,.0f} images/s{failed}"
            self._progress.update(self._task, completed=summary.files, status=status)

    def hidden_while(self, write: WriteRecords) -> WriteRecords:
        """Write to the same terminal: the bar goes away meanwhile."""

        def write_while_hidden(records: Sequence[BatchRecord]) -> None:
            self._progress.stop()
            write(records)
            self._progress.start()

        return write_while_hidden if self._enabled else write

    def _count(self, count: Callable[[], int | None]) -> None:
        self._progress.update(self._task, total=count())
