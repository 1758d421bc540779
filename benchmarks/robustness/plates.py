"""Families of number plates with a rim."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness import scenes
from benchmarks.robustness.family import NUMBER_GROUP, Family, Picture, Rng, number_picture
from benchmarks.robustness.numbers import random_number
from benchmarks.robustness.printed import random_face, render_text
from benchmarks.robustness.scenes import Colour, Light, log_uniform
from training.data import Digits

SIZES_PX = (30.0, 160.0)  # of the font
# Of the digits and of the plate.
COLOURS: tuple[tuple[Colour, Colour], ...] = (
    ((0.95, 0.95, 0.95), (0.08, 0.2, 0.5)),
    ((0.95, 0.95, 0.9), (0.05, 0.3, 0.15)),
    ((0.05, 0.05, 0.08), (0.92, 0.92, 0.88)),
    ((0.1, 0.1, 0.1), (0.9, 0.75, 0.2)),
    ((0.9, 0.8, 0.4), (0.12, 0.1, 0.09)),
)


def rounded_box(shape: tuple[int, ...], inset: float, radius: float) -> NDArray[np.float32]:
    """Return the signed distance [H, W] in pixels to a rounded box, negative inside of it."""
    half = np.array(shape) / 2
    y, x = np.ogrid[: shape[0], : shape[1]]
    corner_y = np.abs(y + 0.5 - half[0]) - (half[0] - inset - radius)
    corner_x = np.abs(x + 0.5 - half[1]) - (half[1] - inset - radius)
    outside = np.hypot(np.maximum(corner_y, 0), np.maximum(corner_x, 0))
    inside = np.minimum(np.maximum(corner_y, corner_x), 0)
    return np.asarray(outside + inside - radius, np.float32)


def _plate(rng: Rng, _digits: Digits) -> Picture:
    """Photograph a plate on a wall; its rim must not be read as 0."""
    text = random_number(rng, 5)
    number = render_text(text, random_face(rng, "bold"), round(log_uniform(rng, SIZES_PX)))
    height = len(number)
    border, wall = (round(height * rng.uniform(*space)) for space in ((0.4, 0.9), (0.1, 0.8)))
    ink = np.pad(number, border)
    radius, inset = height * rng.uniform(0, 0.4), height * rng.uniform(0.05, 0.15)
    rim = height * rng.uniform(0.03, 0.1)
    distance = rounded_box(ink.shape, inset, radius)
    line = np.clip(rim / 2 - np.abs(distance + rim / 2) + 0.5, 0, 1)
    ink = np.maximum(ink, line.astype(np.float32))
    on_plate = np.clip(0.5 - rounded_box(ink.shape, 0, radius), 0, 1)
    digit_colour, plate_colour = COLOURS[rng.integers(len(COLOURS))]
    plate = scenes.tint(np.pad(ink, wall), plate_colour, digit_colour)
    mask = np.pad(on_plate, wall)[..., None]
    mixed = mask * plate + (1 - mask) * _wall(mask.shape[:2], rng)
    light = scenes.light_gradient(mask.shape[:2], rng, rng.uniform(0.5, 1))[..., None]
    picture = scenes.random_perspective(np.asarray(mixed * light, np.float32), rng, 0.05)
    picture = scenes.gaussian_blur(picture, rng.uniform(0.3, 1.2))
    return number_picture(scenes.photograph(picture, rng, 0.02), text)


def _wall(shape: tuple[int, ...], rng: Rng) -> Light:
    """Return a rough wall [H, W, 3] of a random colour."""
    colour = rng.uniform(0.2, 0.9, 3).astype(np.float32)
    return np.asarray(scenes.paper_texture(shape, rng, 0.05)[..., None] * colour, np.float32)


PLATES = [Family(NUMBER_GROUP, "plate with a rim", _plate)]
