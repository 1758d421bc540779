"""Contact sheets: the pictures of a family, each beside its preprocessed form."""

from pathlib import Path

import cv2
import numpy as np

from benchmarks.robustness.family import Family, Pixels
from mnist_cli.errors import InputError
from mnist_cli.reshape import to_28x28
from training.data import Digits

ROWS, COLUMNS = 8, 8
TILE_PX = 112
GAP_PX = 4
RED_BGR = (0, 0, 255)


def save_sheet(family: Family, digits: Digits, folder: Path) -> None:
    """Write `FAMILY.png` with 64 pairs; the right tile is red if no digit is found."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    for pixels, label in family.pictures(digits, ROWS * COLUMNS * family.count_divisor):
        pair = np.hstack([_fit_to_tile(pixels), _preprocessed_tile(pixels)])
        if label >= 0:
            cv2.putText(pair, str(label), (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.5, RED_BGR)
        pairs.append(np.pad(pair, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=255))
    lines = [np.hstack(pairs[start : start + COLUMNS]) for start in range(0, len(pairs), COLUMNS)]
    name = f"{family.group} {family.name}".replace(",", "").replace(" ", "-").lower()
    cv2.imwrite(str(folder / f"{name}.png"), np.vstack(lines))


def _fit_to_tile(pixels: Pixels) -> Pixels:
    """Scale a picture to fit a tile, in colour [TILE_PX, TILE_PX, 3]."""
    scale = TILE_PX / max(pixels.shape)
    height, width = (max(1, round(side * scale)) for side in pixels.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    fitted = np.full((TILE_PX, TILE_PX, 3), (255, 220, 180), np.uint8)
    fitted[:height, :width] = cv2.resize(pixels, (width, height), interpolation=method)[..., None]
    return fitted


def _preprocessed_tile(pixels: Pixels) -> Pixels:
    try:
        return _fit_to_tile(to_28x28(pixels).astype(np.uint8))
    except InputError:
        return np.full((TILE_PX, TILE_PX, 3), RED_BGR, np.uint8)
