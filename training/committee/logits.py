"""Stores the committee's logits for the models' data set, from which students can learn."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from training.augmented_dataset import open_augmented_dataset
from training.committee.evaluate import predict
from training.committee.fit import FOLDER, WEIGHTS, load_trained
from training.data import as_input, load_training
from training.recipes.committee import TEACHERS
from training.runs import complete_file

LOGITS = FOLDER / "logits"


def store_logits(data: Path | None) -> None:
    """Write `logits/COPY.npy` for each augmented copy: float16 [N, 10], the teachers' mean logits.

    The images are those of `AugmentedDataset.images[COPY]`, in the same order. Copies that are
    stored already are skipped, unless the teachers or the data set have changed.

    Raises:
        OSError: a teacher is not trained yet.
    """
    teachers = [load_trained(name) for name in TEACHERS]
    dataset = open_augmented_dataset(load_training(data)[0])
    _discard_stale_logits({"dataset": dataset.key, "teachers": _teachers_digest()})
    for copy, images in enumerate(dataset.images):
        file = LOGITS / f"{copy}.npy"
        if not file.exists():
            batch = as_input(images)
            mean = np.mean([predict(teacher, batch) for teacher in teachers], axis=0)
            with complete_file(file) as new:
                np.save(new, mean.astype(np.float16))
            print(f"copy {copy + 1}/{len(dataset.images)}", flush=True)


def _teachers_digest() -> str:
    weights = [(FOLDER / name / WEIGHTS).read_bytes() for name in TEACHERS]
    return hashlib.sha256(b"".join(weights)).hexdigest()


def _discard_stale_logits(key: dict[str, Any]) -> None:
    """Remove the logits of other teachers or of another data set."""
    file = LOGITS / "key.json"
    if not (file.exists() and json.loads(file.read_text()) == key):
        shutil.rmtree(LOGITS, ignore_errors=True)
        LOGITS.mkdir(parents=True)
        file.write_text(json.dumps(key))
