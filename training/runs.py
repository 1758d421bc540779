"""Shows the progress of a training and logs its epochs."""

import contextlib
import csv
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

RUNS = Path(__file__).parent / "runs"
SAVED_MODELS = Path(__file__).parents[1] / "saved_models"

LOG_COLUMNS = ("epoch", "seconds", "loss", "validation_accuracy")


@contextlib.contextmanager
def complete_file(file: Path) -> Iterator[Path]:
    """Yield another name to write a file under, and rename it, so that it is always complete."""
    new = file.with_name(f"next-{file.name}")
    yield new
    new.replace(file)


class RunLog:
    """Shows progress on stderr and writes a line per epoch to `log.csv`."""

    def __init__(self, folder: Path, epochs: int, steps_per_epoch: int, epochs_done: int) -> None:
        """Start a log, or continue the one in the folder after `epochs_done` epochs."""
        file = folder / "log.csv"
        # The log may be one epoch ahead of the last checkpoint.
        rows = (
            [row for row in read_log(file) if int(row["epoch"]) <= epochs_done]
            if epochs_done
            else []
        )
        self._epochs = epochs
        self._epochs_done = epochs_done
        self._started = time.monotonic() - (float(rows[-1]["seconds"]) if rows else 0)
        self._file = file.open("w", newline="")
        self._rows = csv.DictWriter(self._file, LOG_COLUMNS)
        self._rows.writeheader()
        self._rows.writerows(rows)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task(
            folder.name, total=epochs * steps_per_epoch, completed=epochs_done * steps_per_epoch
        )

    def __enter__(self) -> "RunLog":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()
        self._file.close()

    def advance(self) -> None:
        """Count one training step."""
        self._progress.advance(self._task)

    def end_epoch(self, loss: float, accuracy: float) -> None:
        """Log an epoch: mean training loss and validation accuracy (a fraction)."""
        self._epochs_done += 1
        seconds = time.monotonic() - self._started
        values = (self._epochs_done, f"{seconds:.1f}", f"{loss:.5f}", f"{accuracy:.4f}")
        self._rows.writerow(dict(zip(LOG_COLUMNS, values, strict=True)))
        self._file.flush()
        self._progress.console.print(
            f"epoch {self._epochs_done}/{self._epochs}  {seconds:.0f} s  "
            f"loss {loss:.4f}  validation {accuracy:.2%}",
            highlight=False,
        )


def read_log(file: Path) -> list[dict[str, str]]:
    """Return the rows of a `log.csv`, with `LOG_COLUMNS` as keys."""
    with file.open(newline="") as rows:
        return list(csv.DictReader(rows))
