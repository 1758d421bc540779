"""Connected components, from runs of pixels.

L. He, Y. Chao and K. Suzuki, "A Run-Based Two-Scan Labeling Algorithm" (IEEE Transactions on Image
Processing 17, 2008), with the two scans turned into operations on arrays of all runs.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_cli.arrays import Indices, Mask


@dataclass(frozen=True)
class Components:
    """The parts of a mask [H, W]; pixels that touch at a corner belong together."""

    shape: tuple[int, int]
    rows: Indices
    starts: Indices
    stops: Indices
    """The runs of pixels: row, first column, and the column after the last."""
    labels: Indices
    """The component of each run, from 0."""
    count: int

    @property
    def areas(self) -> npt.NDArray[np.float64]:
        """The pixels of each component [count]."""
        areas = np.bincount(self.labels, self.stops - self.starts, self.count)
        return np.asarray(areas, np.float64)

    def sums(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """The sum of some values [H, W] over each component [count]."""
        before = np.zeros((self.shape[0], self.shape[1] + 1))
        values.cumsum(axis=1, out=before[:, 1:])
        runs = before[self.rows, self.stops] - before[self.rows, self.starts]
        return np.asarray(np.bincount(self.labels, runs, self.count), np.float64)

    @property
    def boxes(self) -> Indices:
        """Top, left, bottom and right of each [count, 4]; the last two are exclusive."""
        boxes = np.empty((self.count, 4), np.intp)
        boxes[:, :2], boxes[:, 2:] = max(self.shape), 0
        np.minimum.at(boxes[:, 0], self.labels, self.rows)
        np.minimum.at(boxes[:, 1], self.labels, self.starts)
        np.maximum.at(boxes[:, 2], self.labels, self.rows + 1)
        np.maximum.at(boxes[:, 3], self.labels, self.stops)
        return boxes

    @property
    def touches_border(self) -> Mask:
        """Which of them touch the border of the mask [count]."""
        top, left, bottom, right = self.boxes.T
        height, width = self.shape
        touches_border: Mask = (top == 0) | (left == 0) | (bottom == height) | (right == width)
        return touches_border

    @property
    def border_pixels(self) -> npt.NDArray[np.float64]:
        """How many pixels of the border each touches [count]."""
        height, width = self.shape
        level = (self.stops - self.starts) * ((self.rows == 0) | (self.rows == height - 1))
        ends = (self.starts == 0).astype(np.intp) + (self.stops == width)
        return np.asarray(np.bincount(self.labels, level + ends, self.count), np.float64)

    def mask(self, chosen: Mask) -> Mask:
        """The pixels of the chosen components, bool [count] -> bool [H, W]."""
        keep = chosen[self.labels]
        changes = np.zeros((self.shape[0], self.shape[1] + 1), np.int8)
        changes[self.rows[keep], self.starts[keep]] = 1
        changes[self.rows[keep], self.stops[keep]] -= 1
        return np.asarray(changes.cumsum(axis=1, dtype=np.int8)[:, :-1], bool)

    def label_image(self, numbers: Indices) -> Indices:
        """Give each pixel the number of its component, [count] -> [H, W]; -1 elsewhere."""
        label_image = np.full(self.shape, -1, np.intp)
        lengths = self.stops - self.starts
        before = lengths.cumsum() - lengths
        first = self.rows * self.shape[1] + self.starts - before
        pixels = np.repeat(first, lengths) + np.arange(lengths.sum())
        label_image.ravel()[pixels] = np.repeat(numbers[self.labels], lengths)
        return label_image


def connected_components(mask: Mask) -> Components:
    """Find the components of a mask [H, W]."""
    height, width = mask.shape
    padded = np.zeros((height, width + 2), np.int8)
    padded[:, 1:-1] = mask
    changes = np.diff(padded, axis=1)
    rows, starts = np.nonzero(changes == 1)
    stops = np.nonzero(changes == -1)[1]
    labels = merge_labels(len(rows), *_adjacent_runs(rows, starts, stops, width + 2))
    roots, labels = np.unique(labels, return_inverse=True)
    return Components((height, width), rows, starts, stops, labels, len(roots))


def _adjacent_runs(
    rows: Indices, starts: Indices, stops: Indices, pitch: int
) -> tuple[Indices, Indices]:
    """The pairs of runs that touch, each in a row and in the next."""
    below = (rows + 1) * pitch
    first = np.searchsorted(rows * pitch + stops, below + starts)
    last = np.searchsorted(rows * pitch + starts, below + stops, side="right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    nth = np.arange(len(upper)) - np.repeat(counts.cumsum() - counts, counts)
    return upper, first[upper] + nth


def merge_labels(count: int, one: Indices, other: Indices) -> Indices:
    """Give all that are joined by pairs the same label, the lowest of their numbers."""
    labels = np.arange(count)
    while True:
        a, b = labels[one], labels[other]
        apart = a != b
        if not apart.any():
            return labels
        a, b, one, other = a[apart], b[apart], one[apart], other[apart]
        np.minimum.at(labels, np.maximum(a, b), np.minimum(a, b))
        while (labels[labels] != labels).any():
            labels = labels[labels]
