"""Finds cuts between digits that touch, with dynamic programming."""

import numpy as np

from mnist_cli.arrays import Floats, Indices

# Cost of a step to the side, in pixels of full foreground: cuts bend only to save foreground.
SIDESTEP_COST = 0.3
# Fractions of the height of digits: the most foreground in a cut, in pixels of full foreground, and
# the smallest distance between cuts, and to the sides.
MAX_CUT_INK, MIN_PIECE_WIDTH = 0.5, 0.1


def oversegment(foreground: Floats, digit_height: float) -> Indices:
    """Return cuts from top to bottom that cross as little foreground as possible.

    For each column of the middle row the cheapest path through it is computed; the cheapest of
    these paths are the cuts. They are more than needed, and recognition picks among them (LeCun et
    al. 1998, "Gradient-based learning applied to document recognition", section V). They bend
    around strokes as in the drop-fall algorithm (G. Congedo, G. Dimauro, S. Impedovo and G. Pirlo,
    "Segmentation of Numeric Strings", ICDAR 1995), but dynamic programming finds the optimum.

    Args:
        foreground: a region of a line, float32 [h, w] from 0.0 to 1.0.
        digit_height: the height of the digits in that line, in pixels.

    Returns:
        For each cut and row the first column to the right of the cut, int [K, h]. The cuts are
        sorted from left to right.
    """
    middle = foreground.shape[0] // 2
    above, previous_above = _shortest_paths(foreground[: middle + 1])
    below, previous_below = _shortest_paths(foreground[middle:][::-1])
    cost = above + below - foreground[middle]
    min_width = max(round(MIN_PIECE_WIDTH * digit_height), 2)
    # Smoothing prefers the middle of a gap to its sides.
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
    """Compute the cheapest paths from the first row to the last one.

    Returns:
        The cost of the path to each pixel of the last row [w], and for each pixel the column in the
        row before [h, w] that its path comes from.
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
    """Return the paths [K, h] from columns [K] of the last row back to the first row."""
    paths = [columns]
    for row in previous[:0:-1]:
        paths.append(row[paths[-1]])
    return np.stack(paths, axis=1)
