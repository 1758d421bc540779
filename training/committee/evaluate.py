"""Compares the committee with the shipped CNNs and the baselines, on held-out images."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from mnist_cli.loader import load_model
from training.committee.fit import load_trained
from training.data import VALIDATION_IMAGES, Batch, Labels, as_input, load_comparison
from training.recipes.committee import BASELINES, MAX_ERROR_RATIO, TEACHERS
from training.runs import SAVED_MODELS

SHIPPED = ("t_cnn", "e_cnn", "k_cnn")

BATCH_IMAGES = 1_000

MIN_PROBABILITY = 1e-30
"""Lower probabilities are raised to it, because 0 has no logarithm."""

Logits = NDArray[np.float32]
"""float32 [N, 10], logarithms of probabilities: logits up to a constant per image."""

Errors = NDArray[np.bool_]
"""bool [N], whether an image is misread."""


def evaluate(data: Path | None) -> None:
    """Print the held-out errors of all networks, and whether the committee passes the gate.

    No test image is read.

    Raises:
        OSError: a network is not trained yet.
    """
    _, held_out = load_comparison(data)
    batch = as_input(held_out.images)
    unseen = slice(len(batch) - VALIDATION_IMAGES, None)
    teachers = {name: predict(load_trained(name), batch) for name in TEACHERS}
    baselines = {name: predict(load_trained(name), batch) for name in BASELINES}
    shipped = {
        name: to_logits(load_model(str(SAVED_MODELS / name)).predict_proba(batch[unseen]))
        for name in SHIPPED
    }
    print(f"{'errors on the last':32}{len(batch):>8,}{VALIDATION_IMAGES:>8,}")
    committee = _print_errors("teacher", "committee", teachers, held_out.labels)
    mean = _print_errors("baseline", "mean of the baselines", baselines, held_out.labels)
    _print_errors("shipped", "mean of the shipped CNNs", shipped, held_out.labels[unseen])
    print(
        f"only the committee misreads {(committee & ~mean).sum()}, "
        f"only the mean of the baselines {(mean & ~committee).sum()} of {len(batch):,} images"
    )
    ratio = committee.sum() / max(1, mean.sum())
    verdict = "holds" if ratio <= MAX_ERROR_RATIO else "does not hold"
    print(
        f"gate: the committee has {1 - ratio:.1%} fewer errors than the mean of the baselines, "
        f"at least {1 - MAX_ERROR_RATIO:.0%} are required: it {verdict}"
    )


def predict(model: keras.Model, batch: Batch) -> Logits:
    """Return the logits of a network for images, float32 [N, 784]."""
    return to_logits(model.predict(batch, batch_size=BATCH_IMAGES, verbose=0))


def to_logits(probabilities: Batch) -> Logits:
    """Return the logarithms of probabilities, float32 [N, 10]."""
    return np.log(np.maximum(probabilities, np.float32(MIN_PROBABILITY)))


def _print_errors(kind: str, mean: str, members: dict[str, Logits], labels: Labels) -> Errors:
    """Print a line for each member and one for their mean logits, whose errors are returned."""
    rows = {f"{kind} {name}": logits for name, logits in members.items()}
    rows[mean] = np.mean([*members.values()], axis=0)
    for name, logits in rows.items():
        errors: Errors = logits.argmax(axis=1) != labels
        # The shipped CNNs learned from the others of the held-out images.
        total = str(errors.sum()) if len(errors) > VALIDATION_IMAGES else "-"
        print(f"{name:32}{total:>8}{errors[-VALIDATION_IMAGES:].sum():>8}")
    return errors
