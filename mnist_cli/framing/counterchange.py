"""Undoes counterchange: ground and ink that are both turned beyond a straight edge."""

import numpy as np

from mnist_cli.arrays import Gray
from mnist_cli.framing.levels import border_contrast

# The part of an edge at which the level changes by half of all contrast: it is no stroke's, which
# others interrupt, nor a shadow's, which is fainter. Where gray ink crosses it, there is no change.
WHOLE = 0.65
# The most that levels differ along the border of paper that is in one piece again, of all contrast.
EVEN = 0.25
# What is narrower between two edges, as a fraction of the picture, is no stripe, but a line.
LINE = 0.1


def turned_back(gray: Gray) -> Gray:
    """The picture [H, W] in one polarity, if stripes of it have the other."""
    contrast = int(gray.max()) - int(gray.min())
    if border_contrast(gray) <= contrast / 2:  # a stripe ends at the border
        return gray
    turned = _without_stripes(_without_stripes(gray).T).T
    # If its border is not all paper then, these were strokes; or shadows, if it is not as light.
    is_whole = int(turned.max()) - int(turned.min()) > contrast / 2
    return turned if is_whole and border_contrast(turned) <= EVEN * contrast else gray


def _without_stripes(gray: Gray) -> Gray:
    """Turn every other stripe from top to bottom."""
    level = gray.astype(np.int16)
    darkest, lightest = level.min(), level.max()
    changes = 2 * np.abs(np.diff(level, axis=1)) > lightest - darkest
    edges = np.count_nonzero(changes, axis=0) >= WHOLE * len(gray)
    at = edges.nonzero()[0]
    narrow = np.diff(at) < LINE * gray.shape[1]
    edges[at[1:][narrow]] = edges[at[:-1][narrow]] = False
    is_turned = np.append(0, edges.cumsum()) % 2 == 1
    return np.where(is_turned, darkest + lightest - level, level).astype(np.uint8)
