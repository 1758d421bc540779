"""Where digits that touch may be cut apart."""

import numpy as np

from mnist_cli.arrays import Floats, Indices

# What a step aside costs, in full ink: a cut is straight where nothing is gained by a bend.
ASIDE = 0.3
# No cut goes through more ink, nor this near to another or to an edge: fractions of the height.
MOST_INK, LEAST_WIDTH = 0.5, 0.1


def cuts(ink: Floats, tall: float) -> Indices:
    """Cut ink [h, w], 0.0 to 1.0, from top to bottom -> [K, h], from left to right.

    A cut has for each row the first column on its right. Through each column of the middle row
    goes the path that meets the least ink; the cuts are the least of these. That is more than they
    should be: over-segmentation, of which the recognition takes what it can read (LeCun et al.
    1998, "Gradient-based learning applied to document recognition", section V). The paths bend like
    a drop that falls around the strokes (Congedo, Dimauro, Impedovo and Pirlo, "Segmentation of
    Numeric Strings", ICDAR 1995), but no drop gets caught: they are found by dynamic programming.

    Args:
        ink: a part of a line, cropped.
        tall: the height of digits in that line.
    """
    middle = ink.shape[0] // 2
    above, upward = _paths(ink[: middle + 1])
    below, downward = _paths(ink[middle:][::-1])
    cost = above + below - ink[middle]
    apart = max(round(LEAST_WIDTH * tall), 2)
    # The middle of a gap rather than its side.
    width = max(apart // 2, 1)
    cost = np.convolve(cost, np.full(width, 1 / width), "same")
    found: list[int] = []
    for column in np.argsort(cost, kind="stable").tolist():
        if cost[column] > MOST_INK * tall:
            break
        if min(abs(column - other) for other in [0, ink.shape[1], *found]) >= apart:
            found.append(column)
    columns = np.sort(np.array(found, np.intp))
    return np.hstack([_followed(upward, columns)[:, ::-1], _followed(downward, columns)[:, 1:]])


def _paths(ink: Floats) -> tuple[Floats, Indices]:
    """The least ink on the way from the first row to each pixel of the last, and the last steps.

    Returns:
        The ink [w], and for each pixel the column [h, w] from which the path came.
    """
    least = ink[0]
    came = np.zeros(ink.shape, np.intp)
    columns = np.arange(ink.shape[1])
    for row in range(1, len(ink)):
        padded = np.pad(least, 1, constant_values=np.inf)
        ways = np.stack([padded[1:-1], padded[:-2] + ASIDE, padded[2:] + ASIDE])
        best = ways.argmin(axis=0)
        came[row] = columns + np.array([0, -1, 1])[best]
        least = ways.min(axis=0) + ink[row]
    return least.astype(np.float32), came


def _followed(came: Indices, columns: Indices) -> Indices:
    """The paths back from columns [K] of the last row to the first [K, h]."""
    paths = [columns]
    for row in came[:0:-1]:
        paths.append(row[paths[-1]])
    return np.stack(paths, axis=1)
