"""Ink without paper, and what happens to it before it is photographed."""

import cv2
import numpy as np
from numpy.typing import NDArray

Gray = NDArray[np.uint8]
"""uint8 [H, W] of any size. As ink: 0 none, 255 full. As a picture: 0 black, 255 white."""

Floats = NDArray[np.float32]
"""float32 [H, W]."""


def crop_to_ink(ink: Gray, edge: int = 0) -> Gray:
    """Return the smallest rectangle around all ink above `edge`; all of it if there is none."""
    mask = ink > edge
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def transform_ink(
    ink: Gray, height: float, rotation: float, slant: float, width: float = 1.0
) -> Gray:
    """Scale, slant and rotate ink.

    Args:
        ink: not empty.
        height: the new height in pixels before the rotation.
        rotation: degrees, against the clock.
        slant: degrees, to the right.
        width: a factor that makes the ink wider or narrower.
    """
    scale = height / len(ink)
    # Bilinear interpolation looks at four pixels only; less than half the size wants more.
    if scale < 0.6:
        size = (max(1, round(ink.shape[1] * scale)), max(1, round(height)))
        ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale = 1.0
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    shear = -np.tan(np.radians(slant))
    turn = np.array([[cos, sin], [-sin, cos]])
    matrix = turn @ np.array([[width, shear], [0, 1]]) * scale
    before = np.array(ink.shape[::-1], float)
    after = np.abs(matrix) @ before + 2
    offset = (after - 1) / 2 - matrix @ (before - 1) / 2
    size = (int(np.ceil(after[0])), int(np.ceil(after[1])))
    moved = cv2.warpAffine(ink, np.column_stack([matrix, offset]), size, flags=cv2.INTER_LINEAR)
    return crop_to_ink(np.asarray(moved, np.uint8), 8)


def smooth_field(
    shape: tuple[int, int], knots: int, low: float, high: float, rng: np.random.Generator
) -> Floats:
    """Return random values between low and high that change smoothly over the picture, [H, W]."""
    grid = rng.uniform(low, high, (knots, knots)).astype(np.float32)
    field = cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(field, np.float32)
