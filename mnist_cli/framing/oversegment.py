"""Where digits that touch may be cut apart."""

import numpy as np

from mnist_cli.arrays import Floats, Indices

# What a step aside costs, in full ink: a cut is straight where nothing is gained by a bend.
SIDESTEP_COST = 0.3
# No cut goes through more ink, nor this near to another or to an edge: fractions of the height.
MAX_CUT_INK, MIN_PIECE_WIDTH = 0.5, 0.1


def oversegment(foreground: Floats, digit_height: float) -> Indices:
    """Cut ink [h, w], 0.0 to 1.0, from top to bottom -> [K, h], from left to right.

    A cut has for each row the first column on its right. Through each column of the middle row
    goes the path that meets the least ink; the cuts are the least of these. That is more than they
    should be: over-segmentation, of which the recognition takes what it can read (LeCun et al.
    1998, "Gradient-based learning applied to document recognition", section V). The paths bend like
    a drop that falls around the strokes (Congedo, Dimauro, Impedovo and Pirlo, "Segmentation of
    Numeric Strings", ICDAR 1995), but no drop gets caught: they are found by dynamic programming.

    Args:
        foreground: a part of a line, cropped.
        digit_height: the height of digits in that line.
    """
    middle = foreground.shape[0] // 2
    above, previous_above = _shortest_paths(foreground[: middle + 1])
    below, previous_below = _shortest_paths(foreground[middle:][::-1])
    cost = above + below - foreground[middle]
    min_width = max(round(MIN_PIECE_WIDTH * digit_height), 2)
    # The middle of a gap rather than its side.
    width = max(min_width // 2, 1)
    cost = np.convolve(cost, np.full(width, 1 / width), "same")
    found: list[int] = []
    for column in np.argsort(cost, kind="stable").tolist():
        if cost[column] > MAX_CUT_INK * digit_height:
            break
        if min(abs(column - other) for other in [0, foreground.shape[1], *found]) >= min_width:
            found.append(column)
    columns = np.sort(np.array(found, np.intp))
    upper = _backtracked(previous_above, columns)[:, ::-1]
    lower = _backtracked(previous_below, columns)[:, 1:]
    return np.hstack([upper, lower])


def _shortest_paths(foreground: Floats) -> tuple[Floats, Indices]:
    """The least ink on the way from the first row to each pixel of the last, and the last steps.

    Returns:
        The ink [w], and for each pixel the column [h, w] from which the path came.
    """
    cost = foreground[0]
    previous = np.zeros(foreground.shape, np.intp)
    columns = np.arange(foreground.shape[1])
    for row in range(1, len(foreground)):
        padded = np.pad(cost, 1, constant_values=np.inf)
        ways = np.stack([padded[1:-1], padded[:-2] + SIDESTEP_COST, padded[2:] + SIDESTEP_COST])
        best = ways.argmin(axis=0)
        previous[row] = columns + np.array([0, -1, 1])[best]
        cost = ways.min(axis=0) + foreground[row]
    return cost.astype(np.float32), previous


def _backtracked(previous: Indices, columns: Indices) -> Indices:
    """The paths back from columns [K] of the last row to the first [K, h]."""
    paths = [columns]
    for row in previous[:0:-1]:
        paths.append(row[paths[-1]])
    return np.stack(paths, axis=1)
