"""Corrupted images of the size of MNIST.

The kinds are those of N. Mu and J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer
Vision" (ICML workshop 2019), made anew and with random strengths.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synthetic.ink import Floats, Gray, smooth_field

Corrupted = NDArray[np.floating]
"""float [28, 28], about 0 to 255."""

SIDE = 28


def corrupt(image: Gray, rng: np.random.Generator) -> Gray:
    """Damage a digit [28, 28], ink 255; return a picture, dark on light or not."""
    corruption = CORRUPTIONS[rng.integers(len(CORRUPTIONS))]
    corrupted = np.clip(corruption(image.astype(np.float32), rng), 0, 255).astype(np.uint8)
    return corrupted if rng.random() < 0.5 else 255 - corrupted


def _gaussian_noise(image: Floats, rng: np.random.Generator) -> Corrupted:
    return image + rng.normal(0, rng.uniform(10, 60), image.shape)


def _shot_noise(image: Floats, rng: np.random.Generator) -> Corrupted:
    photons = rng.uniform(3, 20)
    return rng.poisson(image / 255 * photons) * (255 / photons)


def _impulse_noise(image: Floats, rng: np.random.Generator) -> Corrupted:
    chance = rng.random(image.shape)
    share = rng.uniform(0.01, 0.3)
    return np.where(chance < share / 2, 0, np.where(chance > 1 - share / 2, 255, image))


def _gaussian_blur(image: Floats, rng: np.random.Generator) -> Corrupted:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.8)), np.float32)


def _motion_blur(image: Floats, rng: np.random.Generator) -> Corrupted:
    kernel = np.zeros((9, 9), np.float32)
    reach = rng.uniform(1.2, 2.8) * np.exp(1j * rng.uniform(0, np.pi))
    x, y = round(reach.real), round(reach.imag)
    cv2.line(kernel, (4 - x, 4 - y), (4 + x, 4 + y), 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)


def _glass_blur(image: Floats, rng: np.random.Generator) -> Corrupted:
    y, x = np.indices(image.shape, np.float32)
    dx, dy = rng.normal(0, rng.uniform(0.3, 0.7), (2, *image.shape)).astype(np.float32)
    return np.asarray(cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR), np.float32)


def _inverted_stripe(image: Floats, rng: np.random.Generator) -> Corrupted:
    """Turned ink in a stripe, or on both sides of one."""
    inside = np.zeros(SIDE, bool)
    start, width = rng.integers(0, 24), rng.integers(1, 17)
    inside[start : start + width] = True
    turned = inside if rng.random() < 0.5 or width < 8 else ~inside
    return np.where(turned if rng.random() < 0.5 else turned[:, np.newaxis], 255 - image, image)


def _line(image: Floats, rng: np.random.Generator) -> Corrupted:
    """A straight line from side to side, whole or dotted."""
    start, end = rng.integers(0, SIDE, 2).tolist()
    line = np.zeros_like(image)
    cv2.line(line, (0, start), (SIDE - 1, end), 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    if rng.random() < 0.5:
        line[:, np.arange(SIDE) // rng.integers(1, 4) % 2 == 0] = 0
    return np.maximum(image, line if rng.random() < 0.5 else line.T)


def _zigzag(image: Floats, rng: np.random.Generator) -> Corrupted:
    teeth = int(rng.integers(4, 15))
    x = np.linspace(0, SIDE - 1, teeth)
    start, end = rng.uniform(4, 24, 2).tolist()
    y = np.linspace(start, end, teeth) + rng.uniform(1, 3) * (-1) ** np.arange(teeth)
    points = np.stack([x, y], axis=1).round().astype(np.int32)
    line = np.zeros_like(image)
    cv2.polylines(line, [points], False, 255, int(rng.integers(1, 3)), cv2.LINE_AA)
    return np.maximum(image, line if rng.random() < 0.5 else line.T)


def _spatter(image: Floats, rng: np.random.Generator) -> Corrupted:
    drops = cv2.GaussianBlur(rng.standard_normal(image.shape, np.float32), (0, 0), 1)
    level = rng.uniform(0.5, 0.9)
    mask = drops > level
    return np.where(mask, rng.choice((0, 255), p=(0.4, 0.6)), image)


def _fog(image: Floats, rng: np.random.Generator) -> Corrupted:
    depth = rng.uniform(0.2, 0.5)
    shape = (image.shape[0], image.shape[1])
    fog = smooth_field(shape, int(rng.integers(2, 6)), 255 * depth * 0.4, 255 * depth, rng)
    return image * (1 - depth) + fog


def _low_contrast(image: Floats, rng: np.random.Generator) -> Corrupted:
    return image * rng.uniform(0.2, 0.7) + rng.uniform(0, 70)


def _canny_edges(image: Floats, rng: np.random.Generator) -> Corrupted:
    low = rng.uniform(30, 120)
    smooth = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.3)).astype(np.uint8)
    edges = cv2.Canny(smooth, low, 2 * low).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(edges, (0, 0), rng.uniform(0.1, 0.6)), np.float32)


def _affine(image: Floats, rng: np.random.Generator) -> Corrupted:
    """Rotated by up to 30 degrees, sheared, scaled and shifted."""
    turn = np.radians(rng.uniform(-30, 30))
    scale, shear = rng.uniform(0.5, 1.1) * rng.uniform(0.85, 1.15, 2), rng.uniform(-0.4, 0.4)
    if abs(turn) > 0.3:  # both at once can make another digit of it
        shear = 0.0
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, shear], [0, 1]]) @ np.diag(scale)
    middle = np.full(2, (SIDE - 1) / 2)
    offset = middle + rng.uniform(-2, 2, 2) - matrix @ middle
    moved = cv2.warpAffine(image, np.column_stack([matrix, offset]), (SIDE, SIDE))
    return np.asarray(moved, np.float32)


CORRUPTIONS: tuple[Callable[[Floats, np.random.Generator], Corrupted], ...] = (
    *(
        _gaussian_noise,
        _shot_noise,
        _impulse_noise,
        _gaussian_blur,
        _motion_blur,
        _glass_blur,
        _inverted_stripe,
        _spatter,
    ),
    *(
        _fog,
        _low_contrast,
        _line,
        _line,
        _zigzag,
        _zigzag,
        _canny_edges,
        _canny_edges,
        _affine,
        _affine,
    ),
)
"""Each as likely as the others, twice what is hardest to read through; what is one kind here is
rotation, shear, scale and shift there."""
