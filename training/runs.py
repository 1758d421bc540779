"""What a training shows and leaves behind while it runs."""

import csv
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

RUNS = Path(__file__).parent / "runs"
SAVED_MODELS = Path(__file__).parents[1] / "saved_models"

LOG_COLUMNS = ("epoch", "seconds", "loss", "validation_accuracy")


class RunLog:
    """Progress on stderr, and `log.csv` with a line for each epoch."""

    def __init__(self, folder: Path, epochs: int, steps_per_epoch: int, epochs_done: int) -> None:
        """Begin, or go on after so many epochs that are done."""
        file = folder / "log.csv"
        # An epoch without a checkpoint is not done, whatever the log says.
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

    def __enter__(self) -> Self:
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
        """Record an epoch: mean training loss, validation accuracy as a fraction."""
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
    """Return the epochs of a `log.csv`, each with the values of `LOG_COLUMNS`."""
    with file.open(newline="") as rows:
        return list(csv.DictReader(rows))
