"""Train one model: `python -m training.train NAME [--data DIR]`.

The result lies in `training/runs/NAME` until `training.publish` makes a model folder of it. No test
image is read here, so recipes can be tried and compared at will.
"""

from pathlib import Path

from training.command import run
from training.data import load_training
from training.recipes import RECIPES
from training.runs import RUNS, RunLog, save_run


def train(name: str, data: Path | None) -> None:
    """Train a model and leave its weights and its log in `training/runs/NAME`."""
    training, validation = load_training(data)
    # TensorFlow takes seconds to load; --help and a wrong folder should not wait for it.
    from training.graph.fit import fit
    from training.graph.networks import NETWORKS

    recipe = RECIPES[name]
    steps = recipe.steps_per_epoch(len(training.images))
    folder = RUNS / name
    with RunLog(folder, recipe.epochs, steps) as log:
        weights = fit(NETWORKS[name], recipe, training, validation, log)
    save_run(folder, weights, {"steps": recipe.epochs * steps, "batch_size": recipe.batch_size})


if __name__ == "__main__":
    run("Train a model; judge it on the validation images.", train)
