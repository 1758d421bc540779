"""Reads all the digits of a picture: which of the candidates are digits is told by the model."""

import math
from dataclasses import dataclass

from mnist_cli import prediction, reshape
from mnist_cli.arrays import Gray, Pixels
from mnist_cli.framing.several import BoundingBox, Hypothesis, find_hypotheses
from mnist_cli.loader import Model
from mnist_cli.prediction import Prediction

# What a candidate costs beyond the model's doubt, in nats: a break, since a digit is mostly one
# connected part; and how much wider or lower it is than most digits, in heights of the line.
# They were chosen on the training images of MNIST.
BREAK_PENALTY, WIDTH_PENALTY, HEIGHT_PENALTY = 1.0, 5.0, 5.0
TYPICAL_WIDTH, TYPICAL_HEIGHT = 0.8, 0.7


@dataclass(frozen=True)
class Digit:
    """A digit, and where it is in the picture."""

    prediction: Prediction
    box: BoundingBox
    picture: Gray
    """As the model sees it: [28, 28], dark ink on white paper."""


def read(model: Model, pixels: Pixels) -> list[list[Digit]]:
    """Read the digits of a picture [H, W] -> lines from top to bottom, each from left to right.

    Raises:
        InputError: there is no digit in the picture, or there are too many parts.
    """
    lines = find_hypotheses(pixels)
    batch = reshape.to_model_input([hypothesis.picture for line in lines for hypothesis in line])
    answers = iter(prediction.predict(model, batch))
    return [_best_path([(hypothesis, next(answers)) for hypothesis in line]) for line in lines]


def _best_path(line: list[tuple[Hypothesis, Prediction]]) -> list[Digit]:
    """The digits of a line: the path of least cost through its candidates.

    The graph of segmentations of LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", section V: the nodes are the ends of pieces, a candidate leads from one to another
    and costs -log p of its digit, and more where it has not the shape of one. The shortest path is
    found by dynamic programming (Viterbi 1967).
    """
    line_height = max(hypothesis.box.height for hypothesis, _ in line)
    paths: dict[int, tuple[float, list[Digit]]] = {0: (0.0, [])}
    # Sorted by the first piece: the path to it is known by then.
    for hypothesis, answer in line:
        cost, digits = paths[hypothesis.first]
        cost += BREAK_PENALTY * hypothesis.breaks - math.log(answer.scores[answer.digit])
        cost += WIDTH_PENALTY * max(hypothesis.box.width / line_height - TYPICAL_WIDTH, 0)
        cost += HEIGHT_PENALTY * max(TYPICAL_HEIGHT - hypothesis.box.height / line_height, 0)
        if hypothesis.stop not in paths or cost < paths[hypothesis.stop][0]:
            digit = Digit(answer, hypothesis.box, hypothesis.picture)
            paths[hypothesis.stop] = cost, [*digits, digit]
    return paths[max(paths)][1]
