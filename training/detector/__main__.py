"""Trains the detector: `python -m training.detector STEP [--data DIR]`."""

import argparse
from pathlib import Path

from mnist_cli.errors import MnistError
from training.detector.fit_recipe import FIT

STEPS = ("backgrounds", "tiles", "fit", "export", "evaluate", "growth", "publish")
"""In this order."""


def main() -> None:
    """Read the command line and take the steps."""
    parser = argparse.ArgumentParser(prog="training.detector", description="Train the detector.")
    parser.add_argument("step", choices=("all", *STEPS), help="all: every step")
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="the folder of MNIST's IDX files (.gz); without it Keras downloads MNIST",
    )
    parser.add_argument("--steps", type=int, help="training steps; default: those of the recipe")
    parser.add_argument(
        "--from-published",
        action="store_true",
        help="fit: begin with the published weights instead of random ones",
    )
    parser.add_argument("--workers", type=int, help="processes that draw tiles; default: all cores")
    given = parser.parse_args()
    try:
        for step in STEPS if given.step == "all" else (given.step,):
            _take(step, given)
    except (MnistError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
    except KeyboardInterrupt:
        raise SystemExit("interrupted: the same command resumes") from None


def _take(step: str, given: argparse.Namespace) -> None:
    # Imported here: only some steps need TensorFlow.
    if step == "backgrounds":
        from training.detector import backgrounds

        backgrounds.install()
    elif step == "tiles":
        from training.detector import dataset

        dataset.make_pool(given.data, given.workers)
    elif step == "fit":
        from training.detector import fit

        fit.fit(given.steps or FIT.steps, given.from_published)
    elif step == "export":
        from training.detector import export

        export.export()
    elif step == "publish":
        from training.detector import export

        export.publish()
    elif step == "growth":
        from training.detector import growth

        growth.grow()
    else:
        from training.detector import evaluate

        evaluate.main()


if __name__ == "__main__":
    main()
