"""Recognizes several digits in one picture."""

import math
from dataclasses import dataclass

from mnist_cli import prediction, reshape
from mnist_cli.arrays import Gray, Pixels
from mnist_cli.framing.several import BoundingBox, Hypothesis, find_hypotheses
from mnist_cli.loader import Model
from mnist_cli.prediction import Prediction

# Costs of a hypothesis in nats, added to -log p of its digit: for each break, because most digits
# are one connected component; and for each line height by which it is wider than TYPICAL_WIDTH or
# lower than TYPICAL_HEIGHT, both in line heights. Chosen on the training images of MNIST.
BREAK_PENALTY, WIDTH_PENALTY, HEIGHT_PENALTY = 1.0, 5.0, 5.0
TYPICAL_WIDTH, TYPICAL_HEIGHT = 0.8, 0.7


@dataclass(frozen=True)
class Digit:
    """A recognized digit and its position."""

    prediction: Prediction
    box: BoundingBox
    picture: Gray
    """What the model reads: uint8 [28, 28], black on white."""


def read(model: Model, pixels: Pixels) -> list[list[Digit]]:
    """Recognize all digits of a picture [H, W], 0 black to 255 white.

    Returns:
        Lines from top to bottom, each with its digits from left to right.

    Raises:
        InputError: the picture shows no digit, or too many separate marks.
    """
    lines = find_hypotheses(pixels)
    batch = reshape.to_model_input([hypothesis.picture for line in lines for hypothesis in line])
    answers = iter(prediction.predict(model, batch))
    return [_best_path([(hypothesis, next(answers)) for hypothesis in line]) for line in lines]


def _best_path(line: list[tuple[Hypothesis, Prediction]]) -> list[Digit]:
    """Return the digits on the cheapest path through the hypotheses of a line.

    This is the segmentation graph of LeCun et al. 1998, "Gradient-based learning applied to
    document recognition", section V: nodes are the boundaries between pieces, and a hypothesis is
    an edge from its first to its last boundary. The Viterbi algorithm finds the cheapest path.
    """
    line_height = max(hypothesis.box.height for hypothesis, _ in line)
    paths: dict[int, tuple[float, list[Digit]]] = {0: (0.0, [])}
    # Hypotheses are sorted by their first piece, so the best path to it is known.
    for hypothesis, answer in line:
        cost, digits = paths[hypothesis.first]
        cost += BREAK_PENALTY * hypothesis.breaks - math.log(answer.scores[answer.digit])
        cost += WIDTH_PENALTY * max(hypothesis.box.width / line_height - TYPICAL_WIDTH, 0)
        cost += HEIGHT_PENALTY * max(TYPICAL_HEIGHT - hypothesis.box.height / line_height, 0)
        if hypothesis.stop not in paths or cost < paths[hypothesis.stop][0]:
            digit = Digit(answer, hypothesis.box, hypothesis.picture)
            paths[hypothesis.stop] = cost, [*digits, digit]
    return paths[max(paths)][1]
