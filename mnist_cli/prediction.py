"""What a model reads in a picture: one digit, or several."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from mnist_cli.arrays import Pixels
from mnist_cli.preprocessing.geometry import Box


@dataclass(frozen=True)
class Digit:
    """A digit in a picture."""

    digit: int
    """The digit with the highest score."""
    probability: float
    """The score of that digit in percent, rounded to two decimals."""
    digitness: float
    """Confidence that the picture shows exactly one digit, 0 to 1, rounded to four decimals."""
    uncertain: bool
    """Whether there may be no digit: `digitness` is lower than for 99 % of MNIST."""
    box: Box
    """Bounding box in pixels of the upright picture."""
    scores: tuple[float, ...] = field(repr=False)
    """Probabilities of the digits 0 to 9, each from 0 to 1; they sum to 1."""
    image: Pixels = field(repr=False, compare=False)
    """What the model read, [28, 28] from 0 for ink to 255 for paper."""

    def _repr_png_(self) -> bytes:
        from mnist_cli import notebook

        return notebook.to_png([[self.image]])

    def _repr_html_(self) -> str:
        from mnist_cli import notebook

        png = self._repr_png_()
        return notebook.to_html(png, str(self.digit), self.probability, self.uncertain)


@dataclass(frozen=True)
class Number:
    """All digits of a picture."""

    text: str
    """The digits in reading order, one line of text for each line; empty if there are none."""
    digits: tuple[Digit, ...]

    @property
    def probability(self) -> float:
        """Product of the probabilities of the digits, in percent; 100 if there are none."""
        return joint_probability(digit.probability for digit in self.digits)

    @property
    def uncertain(self) -> bool:
        """Whether a digit is uncertain."""
        return any(digit.uncertain for digit in self.digits)

    def _repr_png_(self) -> bytes | None:
        from mnist_cli import notebook

        if not self.digits:
            return None
        images = iter([digit.image for digit in self.digits])
        lines = self.text.split("\n")
        return notebook.to_png([[next(images) for _ in line] for line in lines])

    def _repr_html_(self) -> str | None:
        from mnist_cli import notebook

        png = self._repr_png_()
        return notebook.to_html(png, self.text, self.probability, self.uncertain) if png else None


def joint_probability(probabilities: Iterable[float]) -> float:
    """Return the product of probabilities, all in percent, rounded to two decimals."""
    return round(100 * math.prod(probability / 100 for probability in probabilities), 2)


def digitness(scores: Sequence[float]) -> float:
    """Return the confidence that a picture with these ten scores shows exactly one digit.

    It is 1 - H(p) / log 10, where H is the entropy: 0 if all ten digits are equally likely, 1 if
    one is certain, and 0.7 if two are equally likely. The models are trained to return equal scores
    for pictures without a digit (D. Hendrycks, M. Mazeika and T. Dietterich, "Deep Anomaly
    Detection with Outlier Exposure", ICLR 2019).
    """
    information = sum(score * math.log(score) for score in scores if score > 0)
    return min(max(1 + information / math.log(10), 0.0), 1.0)
