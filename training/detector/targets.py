"""From pictures and boxes to what the network takes and should answer."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnist_cli.preprocessing.detector import BOX_UNIT_PX, OFFSET_UNIT_PX, normalize_contrast
from training.detector.canvas import IGNORED, Boxes
from training.detector.fit_recipe import TARGETS

Floats = NDArray[np.float32]


class Targets(NamedTuple):
    """Targets of a picture of G x G cells."""

    peaks: Floats
    """float32 [G, G]: 1 at the cell of each centre, falling to 0 around it."""
    ignored: Floats
    """float32 [G, G]: 1 where no objectness is learned."""
    digits: NDArray[np.int32]
    """int32 [G, G], 0 to 9."""
    weights: Floats
    """float32 [G, G]: of the class and box losses; those of a digit add up to 1."""
    boxes: Floats
    """float32 [G, G, 4]: log width, log height, x and y offset to the centre."""


def normalize(pixels: NDArray[np.uint8]) -> Floats:
    """Return a picture [H, W, 3] normalized as `mnist` does: float32."""
    return normalize_contrast(pixels.astype(np.float32))


def encode(boxes: Boxes, side: int) -> Targets:
    """Return the targets of a square picture.

    Args:
        boxes: float32 [N, 5], class (-1 for ignored), left, top, right, bottom in pixels.
        side: of the picture, in pixels.
    """
    cells = side // TARGETS.stride
    peaks, weights = np.zeros((cells, cells), np.float32), np.zeros((cells, cells), np.float32)
    ignored, digits = np.zeros_like(peaks), np.zeros((cells, cells), np.int32)
    regression = np.zeros((cells, cells, 4), np.float32)
    for digit, *corners in boxes:
        left, top, right, bottom = (float(v) / TARGETS.stride for v in corners)
        if digit == IGNORED:
            area = (slice(int(top), int(np.ceil(bottom))), slice(int(left), int(np.ceil(right))))
            ignored[area] = 1
            continue
        width, height = right - left, bottom - top
        x, y = (left + right) / 2, (top + bottom) / 2
        rows, peak_y = _profile(y, height, cells)
        columns, peak_x = _profile(x, width, cells)
        peak = peak_y[:, None] * peak_x
        centre = min(int(y), cells - 1) - rows.start, min(int(x), cells - 1) - columns.start
        peak[centre] = 1
        won = peak > peaks[rows, columns]
        peaks[rows, columns][won] = peak[won]
        digits[rows, columns][won] = int(digit)
        near = np.where(peak > TARGETS.near, peak, 0)
        weights[rows, columns][won] = (near / near.sum())[won]
        size = np.log(np.array([width, height]) * TARGETS.stride / BOX_UNIT_PX)
        least = OFFSET_UNIT_PX / TARGETS.stride
        across = (x - np.arange(columns.start, columns.stop) - 0.5) / max(width, least)
        down = (y - np.arange(rows.start, rows.stop) - 0.5) / max(height, least)
        values = np.empty((*peak.shape, 4), np.float32)
        values[..., :2], values[..., 2], values[..., 3] = size, across, down[:, None]
        regression[rows, columns][won] = values[won]
    # A digit inside an ignored box is still learned.
    ignored[peaks > TARGETS.near] = 0
    return Targets(peaks, ignored, digits, weights, regression)


def _profile(centre: float, extent: float, cells: int) -> tuple[slice, Floats]:
    """Return the cells around a centre along one axis, and the height of the peak there."""
    spread = max(TARGETS.spread * extent, TARGETS.smallest_spread)
    start, end = max(0, int(centre - 3 * spread - 1)), min(cells, int(centre + 3 * spread + 2))
    distance = (np.arange(start, end) + 0.5 - centre) / spread
    return slice(start, end), np.exp(-(distance**2) / 2).astype(np.float32)
