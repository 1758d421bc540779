"""What a training leaves behind until it is published: a log and the weights, ignored by git."""

import csv
import json
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

RUNS = Path(__file__).parent / "runs"

Facts = dict[str, int]
"""How long was trained, in the words of `statistics.json`: `steps` and `batch_size`."""


class RunLog:
    """Progress on stderr, and `log.csv` with a line for each epoch."""

    def __init__(self, folder: Path, epochs: int, steps_per_epoch: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._epochs = epochs
        self._done = 0
        self._started = time.monotonic()
        self._file = (folder / "log.csv").open("w", newline="")
        self._rows = csv.writer(self._file)
        self._rows.writerow(["epoch", "seconds", "loss", "validation_accuracy"])
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task(folder.name, total=epochs * steps_per_epoch)

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

    def epoch(self, loss: float, accuracy: float) -> None:
        """Record an epoch: mean training loss, validation accuracy as a fraction."""
        self._done += 1
        seconds = time.monotonic() - self._started
        self._rows.writerow([self._done, f"{seconds:.1f}", f"{loss:.5f}", f"{accuracy:.4f}"])
        self._file.flush()
        self._progress.console.print(
            f"epoch {self._done}/{self._epochs}  {seconds:.0f} s  "
            f"loss {loss:.4f}  validation {accuracy:.2%}",
            highlight=False,
        )


def save_run(folder: Path, weights: Mapping[str, NDArray[np.float32]], facts: Facts) -> None:
    """Keep the weights and what `statistics.json` will say about the training."""
    np.savez(folder / "weights.npz", allow_pickle=False, **weights)
    (folder / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")


def load_run(folder: Path) -> tuple[dict[str, NDArray[np.float32]], Facts]:
    """Return what `save_run` kept."""
    with np.load(folder / "weights.npz") as weights:
        return dict(weights), json.loads((folder / "facts.json").read_text())
