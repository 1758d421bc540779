"""Contact sheets: the pictures of a family, and what framing makes of each."""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.robustness.family import Family, Pixels
from mnist_cli.errors import InputError
from mnist_cli.reshape import to_28x28
from training.data import Digits

ROWS, COLUMNS = 8, 8
SIDE = 112  # of a picture on the sheet
GAP = 4
RED = (0, 0, 255)


def save_sheet(family: Family, digits: Digits, folder: Path) -> None:
    """Write `FAMILY.png`: 64 pairs of a picture and its frame, a red one where there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    for pixels, label in family.pictures(digits, ROWS * COLUMNS * family.one_in):
        pair = np.hstack([_fitted(pixels), _framed(pixels)])
        if label >= 0:
            cv2.putText(pair, str(label), (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.5, RED)
        pairs.append(np.pad(pair, ((0, GAP), (0, GAP), (0, 0)), constant_values=255))
    lines = [np.hstack(pairs[start : start + COLUMNS]) for start in range(0, len(pairs), COLUMNS)]
    name = f"{family.group} {family.name}".replace(",", "").replace(" ", "-").lower()
    cv2.imwrite(str(folder / f"{name}.png"), np.vstack(lines))


def _fitted(pixels: Pixels) -> Pixels:
    """Fit a picture into a square, in color [SIDE, SIDE, 3]."""
    scale = SIDE / max(pixels.shape)
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    fitted = np.full((SIDE, SIDE, 3), (255, 220, 180), np.uint8)
    fitted[:height, :width] = cv2.resize(pixels, (width, height), interpolation=method)[..., None]
    return fitted


def _framed(pixels: Pixels) -> Pixels:
    try:
        return _fitted(to_28x28(pixels).astype(np.uint8))
    except InputError:
        return np.full((SIDE, SIDE, 3), RED, np.uint8)
