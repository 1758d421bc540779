"""Random rotation, scale, shear, shift and elastic distortion of training images."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from training.data import Images
from training.recipes.dataset import Augmentation

SIDE = 28
PADDING = 2
"""Blank rows above and below each image of a stack, so that neighbours do not mix."""


def distort(images: Images, augmentation: Augmentation, rng: np.random.Generator) -> Images:
    """Return a differently distorted copy of each image, uint8 [N, 28, 28].

    All images are stacked into one tall picture, so that one call of OpenCV moves every pixel. Its
    coordinates have 16 bits: N is at most 1,023.
    """
    count = len(images)
    source = _affine(count, augmentation, rng) + _elastic(count, augmentation, rng)
    # Everything outside of an image is paper: coordinates need not go beyond the padding.
    x, y = np.clip(source, -PADDING, SIDE - 1 + PADDING)
    pitch = SIDE + 2 * PADDING
    y += PADDING + pitch * np.arange(count, dtype=np.float32)[:, None, None]
    stack = np.pad(images, ((0, 0), (PADDING, PADDING), (0, 0))).reshape(-1, SIDE)
    moved = cv2.remap(stack, x.reshape(-1, SIDE), y.reshape(-1, SIDE), cv2.INTER_LINEAR)
    return np.asarray(moved, np.uint8).reshape(images.shape)


def _affine(count: int, limits: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the source coordinates (x, y) of each pixel, float32 [2, N, 28, 28]."""
    angle = np.radians(rng.uniform(-limits.rotation, limits.rotation, count))
    width, height = 1 + rng.uniform(-limits.scale, limits.scale, (2, count))
    shear = rng.uniform(-limits.shear, limits.shear, count)
    shift = rng.uniform(-limits.shift, limits.shift, (count, 2)).T
    cos, sin = np.cos(angle), np.sin(angle)
    # rotation @ shear @ scale for each image: [2, 2, N]
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


def _elastic(count: int, limits: Augmentation, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return smooth displacements in pixels, float32 [2, N, 28, 28].

    Like P. Simard, D. Steinkraus and J. Platt, "Best Practices for Convolutional Neural Networks
    Applied to Visual Document Analysis" (ICDAR 2003), but a coarse grid of random displacements is
    interpolated, which is faster than smoothing a displacement for each pixel.
    """
    grid = limits.elastic_grid
    knots = rng.normal(0, limits.elastic, (2, count, grid, grid)).astype(np.float32)
    interpolation = _cubic_interpolation(grid)
    return np.asarray(interpolation @ knots @ interpolation.T, np.float32)


@cache
def _cubic_interpolation(grid: int) -> NDArray[np.float32]:
    """Return the matrix that interpolates grid points to pixels, float32 [28, grid]."""
    knots = np.eye(grid, dtype=np.float32)
    matrix = cv2.resize(knots, (grid, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(matrix, np.float32)
