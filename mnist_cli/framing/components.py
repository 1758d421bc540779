"""Connected-component labelling and the properties of components."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_cli.arrays import Indices, Mask


@dataclass(frozen=True)
class Components:
    """The connected components of a mask [H, W], with 8-connectivity."""

    shape: tuple[int, int]
    rows: Indices
    starts: Indices
    stops: Indices
    """The horizontal runs of pixels [R]: row, first column, and the column after the last."""
    labels: Indices
    """The component of each run [R], from 0."""
    count: int

    @property
    def areas(self) -> npt.NDArray[np.float64]:
        """The area of each component in pixels [count]."""
        areas = np.bincount(self.labels, self.stops - self.starts, self.count)
        return np.asarray(areas, np.float64)

    def sums(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the sum of values [H, W] over each component [count]."""
        before = np.zeros((self.shape[0], self.shape[1] + 1))
        values.cumsum(axis=1, out=before[:, 1:])
        runs = before[self.rows, self.stops] - before[self.rows, self.starts]
        return np.asarray(np.bincount(self.labels, runs, self.count), np.float64)

    @property
    def boxes(self) -> Indices:
        """Bounding boxes [count, 4]: top, left, bottom and right; the last two are exclusive."""
        boxes = np.empty((self.count, 4), np.intp)
        boxes[:, :2], boxes[:, 2:] = max(self.shape), 0
        np.minimum.at(boxes[:, 0], self.labels, self.rows)
        np.minimum.at(boxes[:, 1], self.labels, self.starts)
        np.maximum.at(boxes[:, 2], self.labels, self.rows + 1)
        np.maximum.at(boxes[:, 3], self.labels, self.stops)
        return boxes

    @property
    def touches_border(self) -> Mask:
        """Whether each component touches the border of the mask [count]."""
        top, left, bottom, right = self.boxes.T
        height, width = self.shape
        touches_border: Mask = (top == 0) | (left == 0) | (bottom == height) | (right == width)
        return touches_border

    @property
    def border_pixels(self) -> npt.NDArray[np.float64]:
        """The pixels of each component on the border [count]; those in corners count twice."""
        height, width = self.shape
        level = (self.stops - self.starts) * ((self.rows == 0) | (self.rows == height - 1))
        ends = (self.starts == 0).astype(np.intp) + (self.stops == width)
        return np.asarray(np.bincount(self.labels, level + ends, self.count), np.float64)

    def mask(self, selected: Mask) -> Mask:
        """Return the mask [H, W] of the selected components, given as bool [count]."""
        keep = selected[self.labels]
        changes = np.zeros((self.shape[0], self.shape[1] + 1), np.int8)
        changes[self.rows[keep], self.starts[keep]] = 1
        changes[self.rows[keep], self.stops[keep]] -= 1
        return np.asarray(changes.cumsum(axis=1, dtype=np.int8)[:, :-1], bool)

    def label_image(self, labels: Indices) -> Indices:
        """Return an image [H, W] of the labels that the components [count] get, or -1 elsewhere."""
        image = np.full(self.shape, -1, np.intp)
        lengths = self.stops - self.starts
        before = lengths.cumsum() - lengths
        first = self.rows * self.shape[1] + self.starts - before
        pixels = np.repeat(first, lengths) + np.arange(lengths.sum())
        image.ravel()[pixels] = np.repeat(labels[self.labels], lengths)
        return image


def connected_components(mask: Mask) -> Components:
    """Label the connected components of a mask [H, W], numbered from top to bottom.

    This is the run-based two-scan algorithm of L. He, Y. Chao and K. Suzuki, "A Run-Based Two-Scan
    Labeling Algorithm" (IEEE Transactions on Image Processing 17, 2008), with both scans written as
    operations on arrays.
    """
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
    """Return the pairs of runs, by index, that touch each other in two consecutive rows.

    `pitch` is the width of a row plus 2, so that runs of different rows never touch.
    """
    below = (rows + 1) * pitch
    first = np.searchsorted(rows * pitch + stops, below + starts)
    last = np.searchsorted(rows * pitch + starts, below + stops, side="right")
    counts = np.maximum(last - first, 0)
    upper = np.repeat(np.arange(len(rows)), counts)
    nth = np.arange(len(upper)) - np.repeat(counts.cumsum() - counts, counts)
    return upper, first[upper] + nth


def merge_labels(count: int, one: Indices, other: Indices) -> Indices:
    """Return a label for each of `count` nodes: the lowest index that its pairs connect it to."""
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
