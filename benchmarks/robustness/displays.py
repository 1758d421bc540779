"""Families of seven-segment and dot-matrix displays, some with specks."""

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import (
    NUMBER_GROUP,
    Family,
    Ink,
    Picture,
    Pixels,
    Rng,
    number_picture,
)
from benchmarks.robustness.numbers import random_number
from benchmarks.robustness.scenes import Colour, log_uniform
from training.data import Digits

HEIGHTS_PX = (16.0, 120.0)
MAX_SPECKS = 1_000

# Ends of each segment in a box of width 1 and height 2: A to G, clockwise from the top.
SEGMENTS = (
    ((0, 0), (1, 0)), ((1, 0), (1, 1)), ((1, 1), (1, 2)), ((0, 2), (1, 2)), ((0, 1), (0, 2)),
    ((0, 0), (0, 1)), ((0, 1), (1, 1)),
)  # fmt: skip
LIT_SEGMENTS = ("ABCDEF", "BC", "ABDEG", "ABCDG", "BCFG", "ACDFG", "ACDEFG", "ABC", "ABCDEFG",
                "ABCDFG")  # fmt: skip
# Dots of seven rows of five, as hexadecimal numbers: the usual font of character displays.
DOT_ROWS = (
    "0E 11 13 15 19 11 0E", "04 0C 04 04 04 04 0E", "0E 11 01 02 04 08 1F", "1F 02 04 02 01 11 0E",
    "02 06 0A 12 1F 02 02", "1F 10 1E 01 01 11 0E", "06 08 10 1E 11 11 0E", "1F 01 02 04 08 08 08",
    "0E 11 11 0E 11 11 0E", "0E 11 11 0F 01 02 0C",
)  # fmt: skip
LIQUID_CRYSTAL: tuple[Colour, Colour] = ((0.1, 0.13, 0.1), (0.6, 0.68, 0.52))
LIGHT_ON_BLACK: tuple[Colour, ...] = ((1, 0.15, 0.1), (0.2, 1, 0.3), (1, 0.7, 0.1), (0.6, 0.9, 1))
BLACK: Colour = (0.04, 0.04, 0.05)

Draw = Callable[[str, float, Rng], Ink]


def seven_segment_ink(text: str, height: float, rng: Rng) -> Ink:
    """Draw digits with seven segments; unlit ones may be faintly visible."""
    side, width = height / 2, height * rng.uniform(0.07, 0.14)
    slant, unlit = rng.uniform(0, 0.18), rng.choice([0, 0, rng.uniform(0.02, 0.12)])
    pitch, gap = side * rng.uniform(1.45, 1.9), width * rng.uniform(0.3, 0.7)
    rows = round(height + 2 * width)
    canvas = np.zeros((rows, round(pitch * len(text) + slant * height + 2 * width)), np.float32)
    for index, digit in enumerate(map(int, text)):
        for name, ends in zip("ABCDEFG", np.array(SEGMENTS, float) * side, strict=True):
            along = (ends[1] - ends[0]) / side
            shortened = ends + np.array([[1], [-1]]) * along * gap
            ends = shortened + np.array([index * pitch, 0])
            ends[:, 0] += slant * (height - ends[:, 1])
            points = (ends + width).round().astype(int)
            level = 1.0 if name in LIT_SEGMENTS[digit] else float(unlit)
            cv2.line(canvas, points[0].tolist(), points[1].tolist(), level, max(1, round(width)))
    return canvas


def dot_matrix_ink(text: str, height: float, rng: Rng) -> Ink:
    """Draw digits with 5x7 round or square dots."""
    pitch = max(3, round(height / 7))
    dot = pitch * rng.uniform(0.6, 0.95)
    cells = []
    for digit in map(int, text):
        rows = [f"{int(row, 16):05b}" for row in DOT_ROWS[digit].split()]
        cells.append(np.pad(np.array([[*map(int, row)] for row in rows]), ((0, 0), (0, 1))))
    dots = np.hstack(cells)[:, :-1]
    y, x = np.mgrid[:pitch, :pitch] - (pitch - 1) / 2
    is_round = rng.random() < 0.5
    distance = np.hypot(x, y) if is_round else np.maximum(np.abs(x), np.abs(y))
    shape = np.clip(dot / 2 - distance + 0.5, 0, 1)
    return np.kron(dots, shape).astype(np.float32)


def _specks(shape: tuple[int, ...], rng: Rng) -> Ink:
    """Return specks [H, W] of one or two pixels."""
    canvas = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(MAX_SPECKS // 5, MAX_SPECKS + 1))):
        y, x = (int(rng.integers(side)) for side in shape)
        size = int(rng.integers(1, 3))
        canvas[y : y + size, x : x + size] = rng.uniform(0.4, 1)
    return canvas


def _render(ink: Ink, rng: Rng) -> Pixels:
    """Photograph a display with dark or luminous digits."""
    if rng.random() < 0.5:
        lit = scenes.tint(1 - ink, *LIQUID_CRYSTAL)
    else:
        lit = scenes.tint(ink, BLACK, LIGHT_ON_BLACK[rng.integers(len(LIGHT_ON_BLACK))])
    lit = lit * scenes.light_gradient(ink.shape, rng, rng.uniform(0.6, 1))[..., None]
    return scenes.photograph(scenes.gaussian_blur(lit, rng.uniform(0.3, 1)), rng, 0.02)


def _number_family(name: str, draw_ink: Draw, has_specks: bool = False) -> Family:
    def draw(rng: Rng, _digits: Digits) -> Picture:
        text = random_number(rng, 6)
        ink = draw_ink(text, log_uniform(rng, HEIGHTS_PX), rng)
        ink = scenes.place_on_canvas(ink, rng, (0.15, 0.6))
        if has_specks:
            ink = np.maximum(ink, _specks(ink.shape, rng))
        return number_picture(_render(ink, rng), text)

    return Family(NUMBER_GROUP, name, draw)


def _digit_family(name: str, draw_ink: Draw) -> Family:
    def draw(rng: Rng, _digits: Digits) -> Picture:
        label = int(rng.integers(10))
        ink = draw_ink(str(label), log_uniform(rng, HEIGHTS_PX), rng)
        return Picture(_render(scenes.place_on_canvas(ink, rng, (0.2, 1)), rng), label)

    return Family("scene", name, draw)


DISPLAYS = [
    _digit_family("seven segments", seven_segment_ink),
    _digit_family("dot matrix", dot_matrix_ink),
    _number_family("seven segments", seven_segment_ink),
    _number_family("dot matrix", dot_matrix_ink),
    _number_family("display with specks", seven_segment_ink, has_specks=True),
]
