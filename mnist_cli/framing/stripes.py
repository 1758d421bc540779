"""Undoes counterchange: ground and ink that are both turned beyond a straight edge."""

import numpy as np

from mnist_cli.arrays import Gray
from mnist_cli.framing.background import border_contrast

# The part of an edge at which the level changes by half of all contrast: it is no stroke's, which
# others interrupt, nor a shadow's, which is fainter. Where gray ink crosses it, there is no change.
MIN_EDGE_COVERAGE = 0.65
# The most that levels differ along the border of paper that is in one piece again, of all contrast.
MAX_BORDER_CONTRAST = 0.25
# What is narrower between two edges, as a fraction of the picture, is no stripe, but a line.
MIN_STRIPE_WIDTH = 0.1


def undo_inverted_stripes(gray: Gray) -> Gray:
    """The picture [H, W] in one polarity, if stripes of it have the other."""
    contrast = int(gray.max()) - int(gray.min())
    if border_contrast(gray) <= contrast / 2:  # a stripe ends at the border
        return gray
    undone = _invert_alternate_stripes(_invert_alternate_stripes(gray).T).T
    # If its border is not all paper then, these were strokes; or shadows, if it is not as light.
    has_ink = int(undone.max()) - int(undone.min()) > contrast / 2
    is_even = border_contrast(undone) <= MAX_BORDER_CONTRAST * contrast
    return undone if has_ink and is_even else gray


def _invert_alternate_stripes(gray: Gray) -> Gray:
    """Turn every other stripe from top to bottom."""
    level = gray.astype(np.int16)
    darkest, lightest = level.min(), level.max()
    is_step = 2 * np.abs(np.diff(level, axis=1)) > lightest - darkest
    is_edge = np.count_nonzero(is_step, axis=0) >= MIN_EDGE_COVERAGE * len(gray)
    columns = is_edge.nonzero()[0]
    narrow = np.diff(columns) < MIN_STRIPE_WIDTH * gray.shape[1]
    is_edge[columns[1:][narrow]] = is_edge[columns[:-1][narrow]] = False
    is_inverted = np.append(0, is_edge.cumsum()) % 2 == 1
    return np.where(is_inverted, darkest + lightest - level, level).astype(np.uint8)
