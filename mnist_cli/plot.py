"""Draws an evaluation with matplotlib, an optional dependency."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_cli.errors import OutputError, install_hint
from mnist_cli.evaluation import MAX_MISTAKES, Evaluation, calibration_error, reliability_bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def check_matplotlib() -> None:
    """Fail early if matplotlib is not installed.

    Raises:
        OutputError: it is not.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise OutputError(f"--plot requires matplotlib ({error})", install_hint("plots")) from error


def draw(file: Path, evaluation: Evaluation) -> None:
    """Draw the confusion matrix, the reliability diagram and the most confident mistakes.

    Raises:
        OutputError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 8), layout="constrained")
    figure.suptitle(f"{evaluation.model} on {evaluation.dataset.source}")
    grid = figure.add_gridspec(4, 10, height_ratios=[1.4, 1.4, 1, 1])
    _draw_confusion(figure.add_subplot(grid[:2, :5]), evaluation)
    _draw_reliability(figure.add_subplot(grid[:2, 5:]), evaluation)
    for position, index in enumerate(evaluation.mistakes[:MAX_MISTAKES]):
        row, column = divmod(position, 5)
        cell = grid[2 + row, 2 * column : 2 * column + 2]
        _draw_mistake(figure.add_subplot(cell), evaluation, index)
    try:
        figure.savefig(file)
    except (OSError, ValueError) as error:  # ValueError: unknown image format
        raise OutputError(f"cannot write the plot: {error}") from error


def _draw_confusion(axes: "Axes", evaluation: Evaluation) -> None:
    counts = evaluation.confusion
    # Colour shows mistakes only: the counts on the diagonal are a thousand times larger.
    mistakes = counts - np.diag(counts.diagonal())
    axes.imshow(mistakes, cmap="Reds")
    for (digit, prediction), count in np.ndenumerate(counts):
        if count:
            colour = "white" if mistakes[digit, prediction] > mistakes.max() / 2 else "black"
            axes.text(prediction, digit, str(count), ha="center", va="center", color=colour)
    axes.set(title="confusion matrix", xlabel="prediction", ylabel="digit")
    axes.set(xticks=range(10), yticks=range(10))


def _draw_reliability(axes: "Axes", evaluation: Evaluation) -> None:
    counts, confidence, correct = reliability_bins(evaluation.scores, evaluation.dataset.labels)
    used = counts > 0
    axes.plot([0, 1], [0, 1], color="gray", linestyle="--", linewidth=1)
    axes.plot(confidence[used] / counts[used], correct[used] / counts[used], marker="o")
    error = calibration_error(evaluation.scores, evaluation.dataset.labels)
    axes.set(title=f"reliability, ECE {error:.2%}", xlabel="confidence", ylabel="accuracy")


def _draw_mistake(axes: "Axes", evaluation: Evaluation, index: int) -> None:
    digit, scores = evaluation.dataset.labels[index], evaluation.scores[index]
    axes.imshow(evaluation.images[index], cmap="gray")
    axes.set_title(f"{digit} as {scores.argmax()}, {scores.max():.1%}", fontsize=8)
    axes.axis("off")
