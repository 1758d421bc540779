"""Distorted copies of the training images: rotation, scale, shear, shift and elastic waves.

The elastic part follows P. Simard, D. Steinkraus and J. Platt, "Best Practices for Convolutional
Neural Networks Applied to Visual Document Analysis" (ICDAR 2003), with a coarse grid of random
displacements, smoothly interpolated, in the place of smoothed noise for each pixel: the same
kind of wave for a small part of the work.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data import Images
from training.recipes import Augmentation

SIDE = 28
GRID = 5  # displacements per axis; neighbours are 6.75 pixels apart
PADDING = 2  # blank rows between two images of a stack, so that none bleeds into the next


def distort(images: Images, strength: Augmentation, rng: np.random.Generator) -> Images:
    """Return a differently distorted copy of each image, uint8 [N, 28, 28] as it came.

    All images are stacked into one tall picture, so that one call of OpenCV moves every pixel.
    Its coordinates are 16 bits wide: N is at most 1,023.
    """
    count = len(images)
    source = _affine(count, strength, rng) + _elastic(count, strength, rng)
    # Beyond the border all is paper, so a coordinate need not go farther than the padding.
    x, y = np.clip(source, -PADDING, SIDE - 1 + PADDING)
    pitch = SIDE + 2 * PADDING
    y += PADDING + pitch * np.arange(count, dtype=np.float32)[:, None, None]
    stack = np.pad(images, ((0, 0), (PADDING, PADDING), (0, 0))).reshape(-1, SIDE)
    moved = cv2.remap(stack, x.reshape(-1, SIDE), y.reshape(-1, SIDE), cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8).reshape(images.shape)


def _affine(count: int, strength: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return where each pixel comes from: (x, y) first, float32 [2, N, 28, 28]."""
    angle = np.radians(rng.uniform(-strength.rotation, strength.rotation, count))
    width, height = 1 + rng.uniform(-strength.scale, strength.scale, (2, count))
    shear = rng.uniform(-strength.shear, strength.shear, count)
    shift = rng.uniform(-strength.shift, strength.shift, (count, 2)).T
    cos, sin = np.cos(angle), np.sin(angle)
    # rotation @ shear @ scale, a matrix for each image: [2, 2, N]
    matrix = np.array(
        [
            [cos * width, (cos * shear - sin) * height],
            [sin * width, (sin * shear + cos) * height],
        ]
    )
    centre = (SIDE - 1) / 2
    steps = np.arange(SIDE) - centre
    grid = np.array(np.meshgrid(steps, steps)).reshape(2, -1)
    source = np.einsum("abn,bp->anp", matrix, grid) + shift[:, :, None] + centre
    return np.asarray(source, np.float32).reshape(2, count, SIDE, SIDE)


def _elastic(count: int, strength: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return smooth displacements in pixels, float32 [2, N, 28, 28]."""
    knots = rng.normal(0, strength.elastic, (2, count, GRID, GRID)).astype(np.float32)
    return np.asarray(_INTERPOLATION @ knots @ _INTERPOLATION.T, np.float32)


def _interpolation_matrix() -> NDArray[np.float32]:
    """Return the matrix of the cubic interpolation from grid to pixels, float32 [28, grid]."""
    knots = np.eye(GRID, dtype=np.float32)
    spread = cv2.resize(knots, (GRID, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(spread, np.float32)


_INTERPOLATION = _interpolation_matrix()
