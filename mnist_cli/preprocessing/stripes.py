"""Restores pictures in which ink and paper swap colours beyond a straight edge."""

import numpy as np

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.threshold import border_contrast

# Fraction of a row or column in which the level changes by half of the contrast. Other strokes
# interrupt the edge of a stroke, and the edge of a shadow is fainter. It is not 1, because there is
# no change where gray ink crosses the edge.
MIN_EDGE_COVERAGE = 0.65
# Largest difference between levels along the border of a restored picture, as a fraction of the
# contrast.
MAX_BORDER_CONTRAST = 0.25
# Fraction of the width of the picture; the area between two closer edges is a line, not a stripe.
MIN_STRIPE_WIDTH = 0.1


def undo_inverted_stripes(gray: Gray) -> Gray:
    """Return the picture [H, W] with one polarity if stripes of it have the other.

    Without such stripes the same array is returned.
    """
    contrast = int(gray.max()) - int(gray.min())
    if border_contrast(gray) <= contrast / 2:  # stripes reach the border
        return gray
    undone = _invert_alternate_stripes(_invert_alternate_stripes(gray).T).T
    # Otherwise the edges belonged to strokes or to shadows.
    has_ink = int(undone.max()) - int(undone.min()) > contrast / 2
    is_even = border_contrast(undone) <= MAX_BORDER_CONTRAST * contrast
    return undone if has_ink and is_even else gray


def _invert_alternate_stripes(gray: Gray) -> Gray:
    """Invert every other vertical stripe."""
    level = gray.astype(np.int16)
    darkest, lightest = level.min(), level.max()
    is_step = 2 * np.abs(np.diff(level, axis=1)) > lightest - darkest
    is_edge = np.count_nonzero(is_step, axis=0) >= MIN_EDGE_COVERAGE * len(gray)
    columns = is_edge.nonzero()[0]
    narrow = np.diff(columns) < MIN_STRIPE_WIDTH * gray.shape[1]
    is_edge[columns[1:][narrow]] = is_edge[columns[:-1][narrow]] = False
    is_inverted = np.append(0, is_edge.cumsum()) % 2 == 1
    return np.where(is_inverted, darkest + lightest - level, level).astype(np.uint8)
