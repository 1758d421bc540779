"""Reads all the digits of a picture: which of the candidates are digits is told by the model."""

import math
from dataclasses import dataclass

from mnist_cli import prediction, reshape
from mnist_cli.arrays import Gray, Pixels
from mnist_cli.framing.several import Box, Candidate, candidates
from mnist_cli.loader import Model
from mnist_cli.prediction import Prediction

# What a candidate costs beyond the model's doubt, in nats: a break, since a digit is mostly one
# connected part; and how much wider or lower it is than most digits, in heights of the line.
# They were chosen on the training images of MNIST.
BREAK, WIDER, LOWER = 1.0, 5.0, 5.0
USUAL_WIDTH, USUAL_HEIGHT = 0.8, 0.7


@dataclass(frozen=True)
class Digit:
    """A digit, and where it is in the picture."""

    prediction: Prediction
    box: Box
    picture: Gray
    """As the model sees it: [28, 28], dark ink on white paper."""


def read(model: Model, pixels: Pixels) -> list[list[Digit]]:
    """Read the digits of a picture [H, W] -> lines from top to bottom, each from left to right.

    Raises:
        InputError: there is no digit in the picture, or there are too many parts.
    """
    lines = candidates(pixels)
    batch = reshape.to_model_input([candidate.picture for line in lines for candidate in line])
    answers = iter(prediction.predict(model, batch))
    return [_chosen([(candidate, next(answers)) for candidate in line]) for line in lines]


def _chosen(line: list[tuple[Candidate, Prediction]]) -> list[Digit]:
    """The digits of a line: the path of least cost through its candidates.

    The graph of segmentations of LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", section V: the nodes are the ends of pieces, a candidate leads from one to another
    and costs -log p of its digit, and more where it has not the shape of one. The shortest path is
    found by dynamic programming (Viterbi 1967).
    """
    tall = max(candidate.box.height for candidate, _ in line)
    paths: dict[int, tuple[float, list[Digit]]] = {0: (0.0, [])}
    # Sorted by the first piece: the path to it is known by then.
    for candidate, answer in line:
        cost, digits = paths[candidate.first]
        cost += BREAK * candidate.breaks - math.log(answer.scores[answer.digit])
        cost += WIDER * max(candidate.box.width / tall - USUAL_WIDTH, 0)
        cost += LOWER * max(USUAL_HEIGHT - candidate.box.height / tall, 0)
        if candidate.stop not in paths or cost < paths[candidate.stop][0]:
            paths[candidate.stop] = cost, [*digits, Digit(answer, candidate.box, candidate.picture)]
    return paths[max(paths)][1]
