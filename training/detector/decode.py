"""The detections of the product as arrays, for the evaluation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnist_cli.preprocessing.detector import decode_cells
from training.detector.fit_recipe import DECODING

Floats = NDArray[np.floating]


@dataclass(frozen=True)
class Detections:
    """The digits of a picture, best first."""

    scores: NDArray[np.float32]
    """float32 [N], 0 to 1: objectness."""
    probabilities: NDArray[np.float32]
    """float32 [N, 10], rows sum to 1."""
    boxes: NDArray[np.float32]
    """float32 [N, 4]: left, top, right, bottom in pixels of the network's input."""

    def __len__(self) -> int:
        return len(self.scores)

    def __getitem__(self, chosen: NDArray[np.generic]) -> "Detections":
        return Detections(self.scores[chosen], self.probabilities[chosen], self.boxes[chosen])

    @property
    def digits(self) -> NDArray[np.int64]:
        """int64 [N]: the most probable digit of each."""
        return np.asarray(self.probabilities.argmax(axis=1), np.int64)


def decode(cells: Floats, threshold: float = DECODING.threshold) -> Detections:
    """Return the detections that `mnist` decodes, as arrays.

    Args:
        cells: float32 [H, W, 15], the first output for one picture.
        threshold: the objectness from which a peak is a digit.
    """
    found = [one for one in decode_cells(cells) if one.score >= threshold]
    return Detections(
        np.array([one.score for one in found], np.float32),
        np.array([one.classes for one in found], np.float32).reshape(-1, 10),
        np.array([one.box for one in found], np.float32).reshape(-1, 4),
    )


def intersections(box: Floats, boxes: Floats) -> Floats:
    """Return the area that a box [4] has in common with each of the boxes [N, 4]."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=1))
