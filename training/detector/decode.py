"""From the network's answer to digits with boxes, in NumPy only."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.detector.recipe import DECODING, TARGETS
from training.detector.targets import BOX_UNIT, LEAST_OFFSET_UNIT

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
    """Return the peaks of objectness with their classes and boxes, without duplicates.

    Args:
        cells: float32 [H, W, 15], the first output for one picture.
        threshold: the objectness from which a peak is a digit.
    """
    scores = _sigmoid(cells[..., 0])
    rows, columns = np.nonzero((scores >= threshold) & (scores >= _largest_neighbour(scores)))
    values = cells[rows, columns]
    logits = values[:, 1:11]
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    sizes = np.exp(np.clip(values[:, 11:13], -3, 4)) * BOX_UNIT
    corner = np.stack([columns, rows], axis=1) + 0.5
    centres = corner * TARGETS.stride + values[:, 13:15] * np.maximum(sizes, LEAST_OFFSET_UNIT)
    boxes = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
    found = Detections(
        *(np.asarray(v, np.float32) for v in (scores[rows, columns], probabilities, boxes))
    )
    found = found[np.argsort(-found.scores, kind="stable")]
    return found[_without_duplicates(found.boxes)]


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))))


def _largest_neighbour(scores: Floats) -> Floats:
    """Return the maximum over 3x3 cells."""
    padded = np.pad(scores, 1, constant_values=-1)
    across = np.maximum(np.maximum(padded[:, :-2], padded[:, 1:-1]), padded[:, 2:])
    return np.asarray(np.maximum(np.maximum(across[:-2], across[1:-1]), across[2:]))


def _without_duplicates(boxes: Floats) -> NDArray[np.int64]:
    """Return which boxes to keep, best first: non-maximum suppression.

    A box inside another is a duplicate, too: the counter of a large 6 or 8.
    """
    kept: list[int] = []
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for index, box in enumerate(boxes):
        common = intersections(box, boxes[kept])
        smaller = np.minimum(areas[index], areas[kept])
        union = areas[index] + areas[kept] - common
        overlap = (common > DECODING.max_iou * union) | (common > DECODING.max_inside * smaller)
        if not overlap.any():
            kept.append(index)
    return np.array(kept, np.int64)


def intersections(box: Floats, boxes: Floats) -> Floats:
    """Return the area that a box [4] has in common with each of the boxes [N, 4]."""
    low, high = np.maximum(box[:2], boxes[:, :2]), np.minimum(box[2:], boxes[:, 2:])
    return np.asarray(np.prod(np.maximum(high - low, 0), axis=1))
