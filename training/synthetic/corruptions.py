"""Corrupted MNIST images, of the kinds of MNIST-C."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from training.recipes.synthetic import SYNTHETIC
from training.synthetic.ink import Floats, Gray, smooth_field

RECIPE = SYNTHETIC.corruptions

Corrupted = NDArray[np.floating]
"""float [28, 28], about 0 to 255."""

Corruption = Callable[[Floats, np.random.Generator], Corrupted]

SIDE = 28


def corrupt(image: Gray, rng: np.random.Generator) -> Gray:
    """Corrupt a digit [28, 28], ink 255, and return a picture, dark on light or light on dark.

    The kinds are those of N. Mu and J. Gilmer, "MNIST-C: A Robustness Benchmark for Computer
    Vision" (ICML workshop 2019), reimplemented with random severities.
    """
    corruption = CORRUPTIONS[rng.integers(len(CORRUPTIONS))]
    corrupted = np.clip(corruption(image.astype(np.float32), rng), 0, 255).astype(np.uint8)
    return corrupted if rng.random() < RECIPE.light_on_dark_prob else 255 - corrupted


def gaussian_noise(image: Floats, rng: np.random.Generator) -> Corrupted:
    return image + rng.normal(0, rng.uniform(*RECIPE.noise_sd), image.shape)


def shot_noise(image: Floats, rng: np.random.Generator) -> Corrupted:
    photons = rng.uniform(*RECIPE.shot_noise_photons)
    return rng.poisson(image / 255 * photons) * (255 / photons)


def impulse_noise(image: Floats, rng: np.random.Generator) -> Corrupted:
    chance = rng.random(image.shape)
    fraction = rng.uniform(*RECIPE.impulse_noise)
    return np.where(chance < fraction / 2, 0, np.where(chance > 1 - fraction / 2, 255, image))


def gaussian_blur(image: Floats, rng: np.random.Generator) -> Corrupted:
    return _blur(image, rng.uniform(*RECIPE.blur_sd))


def motion_blur(image: Floats, rng: np.random.Generator) -> Corrupted:
    kernel = np.zeros((9, 9), np.float32)
    reach = rng.uniform(*RECIPE.motion_blur_reach) * np.exp(1j * rng.uniform(0, np.pi))
    x, y = round(reach.real), round(reach.imag)
    cv2.line(kernel, (4 - x, 4 - y), (4 + x, 4 + y), 1)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()), np.float32)


def glass_blur(image: Floats, rng: np.random.Generator) -> Corrupted:
    """Displace every pixel at random."""
    y, x = np.indices(image.shape, np.float32)
    sd = rng.uniform(*RECIPE.glass_blur_sd)
    dx, dy = rng.normal(0, sd, (2, *image.shape)).astype(np.float32)
    return np.asarray(cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR), np.float32)


def inverted_stripe(image: Floats, rng: np.random.Generator) -> Corrupted:
    """Invert a stripe, horizontal or vertical, or everything outside of it."""
    inverted = np.zeros(SIDE, bool)
    start, width = rng.integers(*RECIPE.stripe_start), rng.integers(*RECIPE.stripe_width)
    inverted[start : start + width] = True
    inside = rng.random() < RECIPE.stripe_inside_prob or width < RECIPE.stripe_outside_min_width
    inverted = inverted if inside else ~inverted
    return np.where(inverted if rng.random() < 0.5 else inverted[:, None], 255 - image, image)


def line(image: Floats, rng: np.random.Generator) -> Corrupted:
    """Draw a straight line from side to side, solid or dotted."""
    start, end = rng.integers(0, SIDE, 2).tolist()
    line = np.zeros_like(image)
    width = int(rng.integers(*RECIPE.line_width))
    cv2.line(line, (0, start), (SIDE - 1, end), 255, width, cv2.LINE_AA)
    if rng.random() < RECIPE.line_dotted_prob:
        line[:, np.arange(SIDE) // rng.integers(*RECIPE.line_dot) % 2 == 0] = 0
    return np.maximum(image, line if rng.random() < 0.5 else line.T)


def zigzag(image: Floats, rng: np.random.Generator) -> Corrupted:
    count = int(rng.integers(*RECIPE.zigzag_points))
    x = np.linspace(0, SIDE - 1, count)
    start, end = rng.uniform(*RECIPE.zigzag_ends, 2).tolist()
    sign = (-1) ** np.arange(count)
    y = np.linspace(start, end, count) + rng.uniform(*RECIPE.zigzag_amplitude) * sign
    points = np.stack([x, y], axis=1).round().astype(np.int32)
    line = np.zeros_like(image)
    cv2.polylines(line, [points], False, 255, int(rng.integers(*RECIPE.zigzag_width)), cv2.LINE_AA)
    return np.maximum(image, line if rng.random() < 0.5 else line.T)


def spatter(image: Floats, rng: np.random.Generator) -> Corrupted:
    drops = _blur(rng.standard_normal(image.shape, np.float32), RECIPE.spatter_blur_sd)
    mask = drops > rng.uniform(*RECIPE.spatter_threshold)
    light = RECIPE.spatter_light_prob
    return np.where(mask, rng.choice((0, 255), p=(1 - light, light)), image)


def fog(image: Floats, rng: np.random.Generator) -> Corrupted:
    density, grid = rng.uniform(*RECIPE.fog_density), int(rng.integers(*RECIPE.fog_grid))
    brightest = 255 * density
    thinnest = brightest * RECIPE.fog_thinnest
    return image * (1 - density) + smooth_field((SIDE, SIDE), grid, thinnest, brightest, rng)


def low_contrast(image: Floats, rng: np.random.Generator) -> Corrupted:
    return image * rng.uniform(*RECIPE.low_contrast) + rng.uniform(*RECIPE.low_contrast_paper)


def canny_edges(image: Floats, rng: np.random.Generator) -> Corrupted:
    threshold = rng.uniform(*RECIPE.edges_threshold)
    smooth = _blur(image, rng.uniform(*RECIPE.edges_blur_sd)).astype(np.uint8)
    edges = cv2.Canny(smooth, threshold, 2 * threshold).astype(np.float32)
    return _blur(edges, rng.uniform(*RECIPE.edges_soften_sd))


def affine(image: Floats, rng: np.random.Generator) -> Corrupted:
    """Rotate, shear, scale and shift."""
    rotation = np.radians(rng.uniform(*RECIPE.rotation))
    scale = rng.uniform(*RECIPE.scale) * rng.uniform(*RECIPE.axis_scale, 2)
    shear = rng.uniform(*RECIPE.shear)
    if abs(rotation) > RECIPE.shear_max_rotation:
        shear = 0.0
    cos, sin = np.cos(rotation), np.sin(rotation)
    matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, shear], [0, 1]]) @ np.diag(scale)
    middle = np.full(2, (SIDE - 1) / 2)
    offset = middle + rng.uniform(*RECIPE.shift, 2) - matrix @ middle
    moved = cv2.warpAffine(image, np.column_stack([matrix, offset]), (SIDE, SIDE))
    return np.asarray(moved, np.float32)


def _blur(image: Floats, sd: float) -> Floats:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sd), np.float32)


CORRUPTIONS: tuple[Corruption, ...] = (
    *(gaussian_noise, shot_noise, impulse_noise, gaussian_blur, motion_blur, glass_blur),
    *(inverted_stripe, spatter, fog, low_contrast),
    *(line, line, zigzag, zigzag, canny_edges, canny_edges, affine, affine),
)
"""Drawn from uniformly; those that are hardest to read through are listed twice."""
