"""Fits the digitness of pictures that the detector searches (logistic regression).

    python -m training.detector.digitness --data DIR --real DIR

`--real` has labelled pictures as for `benchmarks.real`: the parameters of `RecognitionParameters`
are fitted on those. `--data` has the files of MNIST, for validation scenes as a second opinion:
fitting on both changes the area under the ROC curve of real pictures by less than 0.002.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from rich.progress import track
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from mnist_cli import images, reshape
from mnist_cli.errors import InputError
from mnist_cli.evidence import combine
from mnist_cli.loader import Model, load_model
from mnist_cli.option_types import DEFAULT_MODEL
from mnist_cli.picture import Picture
from mnist_cli.prediction import digitness
from mnist_cli.preprocessing.candidates import prepare_clean, search
from mnist_cli.recognition import read_prepared
from training.data import load_training
from training.detector.camera import photograph, warp
from training.detector.canvas import IGNORED
from training.detector.scenes import KINDS
from training.detector.sources import Sources, open_sources
from training.detector.tiles import boxes_of
from training.synthetic.ink import log_uniform

SCENES = (
    *("single", "pixelated", "panel", "jersey", "plate", "display", "drums", "embossed"),
    *("lines", "boxes", "row", "price", "blank"),
)
"""Kinds of validation scenes; those with several digits are examples of pictures without one."""
SCENE_COUNT = 3_000
SIDES_PX = (48, 256)
MIN_HEIGHT = 0.35
"""Height of the only digit, as a fraction of the picture: a person would take it as its subject."""
MAX_OTHER_HEIGHT = 0.5
"""Height of further digits, in heights of the largest, up to which they are taken as marks."""
SEED = 7
INVERSE_RIDGE = 2.0
FEATURES = ("score", "share", "certainty")


class Example(NamedTuple):
    """The evidence of one picture."""

    features: tuple[float, float, float]
    """The values of FEATURES, each 0 to 1."""
    is_digit: bool


def main() -> None:
    """Print the parameters and the area under the ROC curve for each kind of pictures."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--real", type=Path, required=True)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    _, validation = load_training(arguments.data)
    sources = open_sources("validation", validation)
    pictures = real_pictures(arguments.real)
    real = _examples(model, iter(pictures), len(pictures))
    regression = LogisticRegression(C=INVERSE_RIDGE).fit(
        [e.features for e in real], [e.is_digit for e in real]
    )
    for name, value in zip(FEATURES, regression.coef_[0], strict=True):
        print(f"{name}_weight {value:.2f}")
    print(f"digitness_bias {regression.intercept_[0]:.2f}")
    for name, group in {
        "real": real,
        "scenes": _examples(model, scenes(sources), SCENE_COUNT),
    }.items():
        truth = [e.is_digit for e in group]
        values = regression.decision_function([e.features for e in group])
        print(f"AUROC {name} {roc_auc_score(truth, values):.4f} ({sum(truth)} of {len(truth)})")


def scenes(sources: Sources) -> Iterator[tuple[Picture, bool]]:
    """Yield validation scenes of all sizes, each with whether its subject is one digit.

    Scenes in which this is not clear are left out.
    """
    for number in range(SCENE_COUNT):
        rng = np.random.default_rng([SEED, number])
        kind = SCENES[rng.integers(len(SCENES))]
        height, width = (round(log_uniform(SIDES_PX, rng)) for _ in range(2))
        canvas = KINDS[kind](rng, sources, height, width)
        warp(canvas)
        boxes = boxes_of(canvas)
        pixels, _ = photograph(canvas, boxes)
        digits = boxes[boxes[:, 0] != IGNORED]
        heights = np.sort(digits[:, 4] - digits[:, 2])[::-1]
        is_digit = len(heights) > 0 and bool(np.all(heights[1:] < MAX_OTHER_HEIGHT * heights[0]))
        is_clear = heights[0] >= MIN_HEIGHT * height if is_digit else len(boxes) == len(digits)
        if is_clear:
            yield Picture(Image.fromarray(pixels)), is_digit


def real_pictures(folder: Path) -> list[tuple[Picture, bool]]:
    """Return the pictures in `single/` and `none/`, each with whether it shows one digit."""
    lines = (folder / "labels.jsonl").read_text(encoding="utf-8").splitlines()
    files = [str(json.loads(line)["file"]) for line in lines]
    return [
        (images.decode((folder / file).read_bytes()), file.startswith("single/"))
        for file in files
        if not file.startswith("multi/")
    ]


def _examples(model: Model, pictures: Iterator[tuple[Picture, bool]], count: int) -> list[Example]:
    """Return the evidence for the pictures whose answer is not final on the classical path."""
    examples = []
    for picture, is_digit in track(pictures, "reading pictures", count):
        try:
            clean = prepare_clean(picture)
            [final] = read_prepared(model, [clean])
            if final is not None:
                continue
            found = search(picture, clean).candidates
        except InputError:  # blank: refused without a digitness
            continue
        batch = reshape.to_model_input([candidate.image for candidate in found])
        evidence = combine(found, [*model.predict_proba(batch)])
        certainty = digitness(evidence.scores.tolist())
        examples.append(Example((evidence.score, evidence.share, certainty), is_digit))
    return examples


if __name__ == "__main__":
    main()
