"""Trains and evaluates the committee: `python -m training.committee STEP [--data DIR]`."""

from pathlib import Path

from training.command import run

STEPS = ("train", "evaluate")
"""In this order."""


def _take(step: str, data: Path | None) -> None:
    # Imported here: TensorFlow takes seconds to load.
    if step == "train":
        from training.committee.fit import train

        train(data)
    else:
        from training.committee.evaluate import evaluate

        evaluate(data)


if __name__ == "__main__":
    run(
        "Train the committee, or compare it with the shipped CNNs.",
        _take,
        names=STEPS,
        name_help="what to do",
    )
