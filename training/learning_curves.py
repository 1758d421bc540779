"""Plots the learning curves of a training from its `log.csv`."""

from pathlib import Path

from matplotlib.figure import Figure

from training.runs import read_log


def plot_learning_curves(name: str, log: Path, file: Path) -> None:
    """Plot training loss and validation error by epoch, both on a logarithmic scale."""
    rows = read_log(log)
    epochs = [int(row["epoch"]) for row in rows]
    error = [100 * (1 - float(row["validation_accuracy"])) for row in rows]
    loss = [float(row["loss"]) for row in rows]
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(epochs, loss)
    left.set(title=f"{name}: training loss", xlabel="epoch", yscale="log")
    right.plot(epochs, error)
    right.set(title=f"{name}: validation error, %", xlabel="epoch", yscale="log")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Software": None})  # the same bytes from the same log
