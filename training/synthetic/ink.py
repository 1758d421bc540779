"""Basic operations on ink without paper: crop, transform, smooth random fields."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.recipes.synthetic import Range

Gray = NDArray[np.uint8]
"""uint8 [H, W] of any size. As ink: 0 none, 255 full. As a picture: 0 black, 255 white."""

Floats = NDArray[np.float32]
"""float32 [H, W]."""

CROP_THRESHOLD = 8
"""Ink up to this level is an interpolation artefact."""
AREA_SCALE = 0.6
"""Below this scale, bilinear interpolation skips pixels, and area interpolation is used."""


def crop_to_ink(ink: Gray, threshold: int = 0) -> Gray:
    """Crop to the bounding box of all ink above the threshold; without any, return it unchanged."""
    mask = ink > threshold
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return ink
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def transform_ink(
    ink: Gray, height: float, rotation: float, slant: float, width_factor: float = 1.0
) -> Gray:
    """Scale, slant and rotate ink.

    Args:
        ink: not empty.
        height: the new height in pixels, before the rotation.
        rotation: degrees, counterclockwise.
        slant: degrees, to the right.
        width_factor: stretches (> 1) or squeezes (< 1) the width.
    """
    scale = height / len(ink)
    if scale < AREA_SCALE:
        size = (max(1, round(ink.shape[1] * scale)), max(1, round(height)))
        ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale = 1.0
    cos, sin = np.cos(np.radians(rotation)), np.sin(np.radians(rotation))
    shear = -np.tan(np.radians(slant))
    rotate = np.array([[cos, sin], [-sin, cos]])
    matrix = rotate @ np.array([[width_factor, shear], [0, 1]]) * scale
    before = np.array(ink.shape[::-1], float)
    after = np.abs(matrix) @ before + 2
    offset = (after - 1) / 2 - matrix @ (before - 1) / 2
    size = (int(np.ceil(after[0])), int(np.ceil(after[1])))
    moved = cv2.warpAffine(ink, np.column_stack([matrix, offset]), size, flags=cv2.INTER_LINEAR)
    return crop_to_ink(np.asarray(moved, np.uint8), CROP_THRESHOLD)


def smooth_field(
    shape: tuple[int, int], grid: int, low: float, high: float, rng: np.random.Generator
) -> Floats:
    """Interpolate a grid of random values between low and high to float32 [H, W]."""
    values = rng.uniform(low, high, (grid, grid)).astype(np.float32)
    field = cv2.resize(values, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.asarray(field, np.float32)


def log_uniform(limits: Range, rng: np.random.Generator) -> float:
    """Draw a number whose logarithm is uniformly distributed between the limits."""
    return float(np.exp(rng.uniform(*np.log(limits))))


def disk(size: int) -> Gray:
    """Return a disk of this diameter in pixels as a structuring element."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
