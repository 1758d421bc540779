"""Contact sheets: the pictures of a family, each beside what the model reads of it."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.robustness.family import NUMBER_GROUP, Family, Pixels
from mnist_cli.errors import InputError
from mnist_cli.loader import Model
from mnist_cli.picture import Picture
from mnist_cli.prediction import Digit
from mnist_cli.recognition import read_digit, read_number
from training.data import Digits

ROWS, COLUMNS = 8, 8
TILE_PX = 112
GAP_PX = 4
RED = (255, 0, 0)


def save_sheet(family: Family, digits: Digits, folder: Path, model: Model) -> None:
    """Write `FAMILY.png` with 64 pairs; the right tile is red if no digit is found."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs = []
    is_number = family.group == NUMBER_GROUP
    for pixels, label, text in family.pictures(digits, ROWS * COLUMNS * family.count_divisor):
        found = _read(model, pixels, is_number)
        pair = np.hstack([_fit_to_tile(pixels), _crops_tile(found)])
        expected = text.replace("\n", " ") if is_number else str(label) if label >= 0 else ""
        cv2.putText(pair, expected, (2, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.5, RED)
        if found:
            read = "".join(str(digit.digit) for digit in found)
            cv2.putText(pair, read, (TILE_PX + 2, 108), cv2.FONT_HERSHEY_SIMPLEX, 0.5, RED)
        pairs.append(np.pad(pair, ((0, GAP_PX), (0, GAP_PX), (0, 0)), constant_values=255))
    pairs += [np.full_like(pairs[0], 255)] * (-len(pairs) % COLUMNS)
    lines = [np.hstack(pairs[start : start + COLUMNS]) for start in range(0, len(pairs), COLUMNS)]
    name = f"{family.group} {family.name}".replace(",", "").replace(" ", "-").lower()
    Image.fromarray(np.vstack(lines)).save(folder / f"{name}.png")


def _read(model: Model, pixels: Pixels, is_number: bool) -> Sequence[Digit]:
    picture = Picture(Image.fromarray(pixels))
    if is_number:
        return read_number(model, picture).digits
    try:
        return [read_digit(model, picture)]
    except InputError:
        return []


def _fit_to_tile(pixels: Pixels) -> Pixels:
    """Scale a picture to fit a tile, in colour [TILE_PX, TILE_PX, 3]."""
    scale = TILE_PX / max(pixels.shape[:2])
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    resized = cv2.resize(pixels, (width, height), interpolation=method)
    fitted = np.full((TILE_PX, TILE_PX, 3), (180, 220, 255), np.uint8)
    fitted[:height, :width] = resized if resized.ndim == 3 else resized[..., None]
    return fitted


def _crops_tile(digits: Sequence[Digit]) -> Pixels:
    if not digits:
        return np.full((TILE_PX, TILE_PX, 3), RED, np.uint8)
    return _fit_to_tile(np.hstack([digit.image for digit in digits]).astype(np.uint8))
