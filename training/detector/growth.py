"""How the detector grew: validation figures of every snapshot, and their picture in the docs."""

import csv
from pathlib import Path

from matplotlib.figure import Figure

from training.detector import dataset
from training.detector.evaluate import Counts, evaluate, network_answers
from training.detector.fit import FOLDER, SNAPSHOTS, load_network
from training.detector.fit_recipe import DECODING, EVALUATION
from training.runs import read_log

FILE = FOLDER / "growth.csv"
PICTURE = Path(__file__).parents[2] / "docs" / "learning_curves" / "detector.png"
COLUMNS = ("step", "recall", "precision", "classes")


def grow() -> None:
    """Evaluate the snapshots that are not in `growth.csv` yet, and draw all of them."""
    done = read_log(FILE) if FILE.exists() else []
    tiles = dataset.read_shard(dataset.file_of("validation", 0))[: EVALUATION.growth_tiles]
    for file in sorted(SNAPSHOTS.glob("*.npz")):
        step = int(file.stem)
        if step % EVALUATION.growth_steps or any(int(row["step"]) == step for row in done):
            continue
        counts: Counts = evaluate(network_answers(load_network(file), tiles))[DECODING.threshold]
        figures = (counts.recall, counts.precision, counts.class_accuracy)
        values = (str(step), *(f"{figure:.4f}" for figure in figures))
        done.append(dict(zip(COLUMNS, values, strict=True)))
    done.sort(key=lambda row: int(row["step"]))
    with FILE.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(done)
    draw(read_log(FOLDER / "log.csv"), done, PICTURE)


def draw(log: list[dict[str, str]], growth: list[dict[str, str]], file: Path) -> None:
    """Draw the losses and the validation figures over the steps."""
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps = [int(row["step"]) for row in log]
    for name in ("objectness", "classes", "boxes", "foreground"):
        left.plot(steps, [float(row[name]) for row in log], label=name)
    left.set(title="detector: training losses", xlabel="step", yscale="log")
    left.legend()
    for name in COLUMNS[1:]:
        values = [100 * float(row[name]) for row in growth]
        right.plot([int(row["step"]) for row in growth], values, ".-", label=name)
    right.set(title="detector: validation, %", xlabel="step", ylim=(60, 100))
    right.legend()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, metadata={"Software": None})  # the same bytes from the same files
