"""Trains, evaluates and applies the committee: `python -m training.committee STEP [--data DIR]`."""

from pathlib import Path

from training.command import run

STEPS = ("train", "evaluate", "logits")
"""In this order."""


def _take(step: str, data: Path | None) -> None:
    # Imported here: TensorFlow takes seconds to load.
    if step == "train":
        from training.committee.fit import train

        train(data)
    elif step == "evaluate":
        from training.committee.evaluate import evaluate

        evaluate(data)
    else:
        from training.committee.logits import store_logits

        store_logits(data)


if __name__ == "__main__":
    run(
        "Train the committee, compare it with the shipped CNNs, or store its logits.",
        _take,
        names=STEPS,
        name_help="what to do",
    )
