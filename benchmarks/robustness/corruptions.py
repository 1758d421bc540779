"""Families with the fifteen corruptions of MNIST-C, reimplemented from their description.

N. Mu and J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer Vision" (2019), arXiv:1906.02337;
the severities are those of the paper's data. Images are float32 [28, 28], paper 0.0 and ink 1.0.
"""

import itertools
import math
from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.family import Family, Ink, Picture, Rng, as_ink, as_pixels
from benchmarks.robustness.handwriting import random_digit
from training.data import Digits

IMAGE_SIDE = 28
CENTRE = (IMAGE_SIDE - 1) / 2


def shot_noise(image: Ink, rng: Rng) -> Ink:
    """Add Poisson noise, with three photons for full white."""
    return (rng.poisson(3 * image) / 3).astype(np.float32)


def impulse_noise(image: Ink, rng: Rng) -> Ink:
    """Set 17 % of the pixels to black or white."""
    hit, white = rng.random((2, IMAGE_SIDE, IMAGE_SIDE))
    return np.where(hit < 0.17, white < 0.5, image).astype(np.float32)


def glass_blur(image: Ink, rng: Rng) -> Ink:
    """Blur, swap neighbouring pixels in two passes, and blur again."""
    blurred = _gaussian_blur(image, 0.7)
    for _ in range(2):
        for row, column in np.argwhere(rng.random((IMAGE_SIDE - 2, IMAGE_SIDE - 2)) < 0.5) + 1:
            other = row + rng.integers(-1, 1), column + rng.integers(-1, 1)
            blurred[row, column], blurred[other] = blurred[other], blurred[row, column]
    return _gaussian_blur(blurred, 0.7)


def motion_blur(image: Ink, rng: Rng) -> Ink:
    """Blur in one direction within 45 degrees of horizontal, with Gaussian weights."""
    angle = math.radians(rng.uniform(-45, 45))
    smeared, weights = np.zeros_like(image), 0.0
    for step in range(11):
        weight = math.exp(-((step / 3) ** 2) / 2)
        by = (step * math.cos(angle), step * math.sin(angle))
        smeared += weight * _transform(image, np.eye(2), by)
        weights += weight
    return smeared / np.float32(weights)


def shear(image: Ink, rng: Rng) -> Ink:
    """Shear by 0.4 to the left or right."""
    return _transform(image, np.array([[1, _sign(rng) * 0.4], [0, 1]]))


def scale(image: Ink, _rng: Rng) -> Ink:
    """Scale by 0.7."""
    return _transform(image, 0.7 * np.eye(2))


def rotate(image: Ink, rng: Rng) -> Ink:
    """Rotate by 0.4 radians to the left or right."""
    sin, cos = _sign(rng) * math.sin(0.4), math.cos(0.4)
    return _transform(image, np.array([[cos, -sin], [sin, cos]]))


def brightness(image: Ink, _rng: Rng) -> Ink:
    """Increase the brightness of all pixels by 0.5."""
    return np.asarray(image + 0.5, np.float32)


def translate(image: Ink, rng: Rng) -> Ink:
    """Shift by three pixels along both axes."""
    return _transform(image, np.eye(2), (3 * _sign(rng), 3 * _sign(rng)))


def stripe(image: Ink, _rng: Rng) -> Ink:
    """Invert the picture except for a vertical stripe in the middle."""
    striped = 1 - image
    striped[:, 7:21] = image[:, 7:21]
    return striped


def fog(image: Ink, rng: Rng) -> Ink:
    """Add a fractal cloud of three times the contrast."""
    cloud = _plasma_fractal(rng, 1.4)
    return np.asarray((image + 3 * cloud) / 4, np.float32)


def spatter(image: Ink, rng: Rng) -> Ink:
    """Add dark gray blots."""
    wet = _gaussian_blur(rng.normal(0.65, 0.3, image.shape).astype(np.float32), 1)
    blots = _gaussian_blur((wet > 0.65).astype(np.float32), 1.5)
    blots[blots < 0.8] = 0
    return np.asarray(image * (1 - blots) + 63 / 255 * blots, np.float32)


def dotted_line(image: Ink, rng: Rng) -> Ink:
    """Draw a dotted line from the left border to the right."""
    first, last = rng.integers(0, 27, 2)
    line = _draw_line((0, first), (27, last))
    line[:, np.arange(IMAGE_SIDE) // 2 % 2 == 0] = 0
    return image + line


def zigzag(image: Ink, rng: Rng) -> Ink:
    """Draw a zigzag, two pixels up and down, from left to right."""
    first = rng.integers(0, 27)
    rise = rng.integers(-5, 5) / 23
    columns = np.arange(2, 26, 2)
    rows = first + rise * (columns - 2) + np.where(np.arange(len(columns)) % 2, 2, -2)
    points = zip(columns.tolist(), rows.tolist(), strict=True)
    drawn = image.copy()
    for start, end in itertools.pairwise(points):
        drawn += _draw_line(start, end)
    return drawn


def canny_edges(image: Ink, _rng: Rng) -> Ink:
    """Keep only the edges that the Canny detector finds: J. Canny (1986)."""
    return as_ink(np.asarray(cv2.Canny(as_pixels(_gaussian_blur(image, 1)), 40, 80)))


def unchanged(image: Ink, _rng: Rng) -> Ink:
    """Return the image of MNIST."""
    return image


def _sign(rng: Rng) -> int:
    return int(rng.choice([-1, 1]))


def _gaussian_blur(image: Ink, sigma: float) -> Ink:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)


def _transform(image: Ink, matrix: NDArray[np.float64], by: tuple[float, float] = (0, 0)) -> Ink:
    """Apply a matrix [2, 2] to (x, y) around the centre, then shift."""
    centre = np.array([CENTRE, CENTRE])
    affine = np.column_stack([matrix, centre - matrix @ centre + by])
    return np.asarray(cv2.warpAffine(image, affine, (IMAGE_SIDE, IMAGE_SIDE)), np.float32)


def _draw_line(start: tuple[float, float], end: tuple[float, float]) -> Ink:
    """Return a line between two points (column, row) that fades within two pixels vertically."""
    columns, rows = np.arange(IMAGE_SIDE), np.arange(IMAGE_SIDE)[:, None]
    height = start[1] + (end[1] - start[1]) * (columns - start[0]) / (end[0] - start[0])
    distance = np.abs(rows - height)
    strength = np.clip(1 + np.log(np.maximum(1 - distance / 2.3, 1e-6)), 0, 1)
    strength[:, (columns < start[0]) | (columns >= end[0])] = 0
    return np.asarray(strength, np.float32)


def _plasma_fractal(rng: Rng, decay: float) -> Ink:
    """Return a plasma fractal [28, 28] from 0 to 1; each octave is weaker by the factor `decay`."""
    cloud = np.zeros((256, 256), np.float32)
    for octave in range(8):
        knots = rng.standard_normal((2**octave + 1,) * 2, np.float32)
        cloud += cv2.resize(knots, cloud.shape) * np.float32(decay**-octave)
    return np.asarray((cloud[:IMAGE_SIDE, :IMAGE_SIDE] - cloud.min()) / np.ptp(cloud), np.float32)


def _family(corrupt: Callable[[Ink, Rng], Ink], group: str = "MNIST-C") -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        image, label = random_digit(rng, digits)
        corrupted = corrupt(as_ink(image), rng)
        return Picture(as_pixels(corrupted), label)

    return Family(group, corrupt.__name__.replace("_", " "), draw, light_ink=True)


MNIST = [_family(unchanged, "MNIST")]

CORRUPTIONS = [
    _family(corrupt)
    for corrupt in (
        *(shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness),
        *(translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges),
    )
]
