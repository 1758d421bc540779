"""Connected-component labelling and the properties of components."""

from dataclasses import dataclass

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

    def mask(self, selected: Mask) -> Mask:
        """Return the mask [H, W] of the selected components, given as bool [count]."""
        keep = selected[self.labels]
        changes = np.zeros((self.shape[0], self.shape[1] + 1), np.int8)
        changes[self.rows[keep], self.starts[keep]] = 1
        changes[self.rows[keep], self.stops[keep]] -= 1
        return np.asarray(changes.cumsum(axis=1, dtype=np.int8)[:, :-1], bool)


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
    labels = _merge_labels(len(rows), *_adjacent_runs(rows, starts, stops, width + 2))
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


def _merge_labels(count: int, one: Indices, other: Indices) -> Indices:
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
