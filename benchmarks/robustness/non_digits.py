"""Families that are not one digit: letters, scribbles, shapes, pairs, textures, noise, blanks."""

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import NO_DIGIT, Family, Ink, Picture, Pixels, Rng, as_pixels
from benchmarks.robustness.handwriting import enlarge_digit, random_digit, random_tilt
from benchmarks.robustness.printed import has_glyph, random_face, render_text
from benchmarks.robustness.strokes import Points, catmull_rom, draw_paths
from training.data import Digits

# Without letters that look like digits: O o Q D, I l i |, Z z, S s, b q g, B.
LETTERS = "ACEFGHJKLMNPRTUVWXYacdefhjkmnprtuvwxy"

_ANGLES = np.linspace(0, 2 * np.pi, 40)
_CIRCLE = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])


def _polylines(*lines: list[tuple[float, float]]) -> list[Points]:
    return [np.array(line, float) for line in lines]


# Coordinates from -1 to 1. Rings and boxes are missing because they look like 0.
SHAPES: dict[str, list[Points]] = {
    "face": [
        _CIRCLE, _CIRCLE * 0.1 + (-0.35, -0.3), _CIRCLE * 0.1 + (0.35, -0.3),
        _CIRCLE[2:18] * 0.55 + (0, 0.05),
    ],
    "sun": [_CIRCLE * 0.45, *(np.array([point * 0.6, point]) for point in _CIRCLE[::5])],
    "star": [np.column_stack([np.sin(4 * np.pi / 5 * np.arange(6)),
                              -np.cos(4 * np.pi / 5 * np.arange(6))])],
    "heart": [np.column_stack([np.sin(_ANGLES) ** 3,
                               -(13 * np.cos(_ANGLES) - 5 * np.cos(2 * _ANGLES)
                                 - 2 * np.cos(3 * _ANGLES) - np.cos(4 * _ANGLES)) / 16])],
    "house": _polylines([(-0.8, 1), (-0.8, -0.1), (0, -1), (0.8, -0.1), (0.8, 1), (-0.8, 1)],
                    [(-0.8, -0.1), (0.8, -0.1)], [(-0.2, 1), (-0.2, 0.3), (0.2, 0.3), (0.2, 1)]),
    "tree": _polylines([(0, 1), (0, 0.2), (-0.7, 0.2), (0, -1), (0.7, 0.2), (0, 0.2)]),
    "plus": _polylines([(-1, 0), (1, 0)], [(0, -1), (0, 1)]),
    "cross": _polylines([(-1, -1), (1, 1)], [(-1, 1), (1, -1)]),
    "hash": _polylines([(-1, -0.4), (1, -0.4)], [(-1, 0.4), (1, 0.4)], [(-0.4, -1), (-0.4, 1)],
                   [(0.4, -1), (0.4, 1)]),
    "arrow": _polylines([(-1, 0), (1, 0)], [(0.4, -0.5), (1, 0), (0.4, 0.5)]),
}  # fmt: skip


def _letter(rng: Rng, _digits: Digits) -> Ink:
    style = str(rng.choice(["regular", "bold", "italic"]))
    letter, face = str(rng.choice(list(LETTERS))), random_face(rng, style)
    while not has_glyph(face, letter):
        face = random_face(rng, style)
    return render_text(letter, face, int(rng.integers(24, 160)))


def _scribble(rng: Rng, _digits: Digits) -> Ink:
    """Draw one random curve through many points."""
    size = rng.uniform(50, 250)
    points = rng.uniform(0, 1, (int(rng.integers(9, 25)), 2)) * (size * rng.uniform(0.6, 1.6), size)
    return draw_paths([catmull_rom(points)], size * rng.uniform(0.01, 0.06))


def _shape(rng: Rng, _digits: Digits) -> Ink:
    size = rng.uniform(25, 120)
    paths = SHAPES[str(rng.choice(list(SHAPES)))]
    stretch = size * rng.uniform(0.85, 1.15, 2)
    ink = draw_paths([path * stretch for path in paths], size * rng.uniform(0.04, 0.16))
    return random_tilt(ink, rng)


def _pair(rng: Rng, digits: Digits) -> Ink:
    """Draw two digits side by side, both handwritten or both printed."""
    if rng.random() < 0.5:
        text = f"{rng.integers(100):02}"
        return render_text(text, random_face(rng), int(rng.integers(24, 160)))
    height = rng.uniform(40, 200)
    left, right = (enlarge_digit(random_digit(rng, digits)[0], height) for _ in range(2))
    gap = round(height * rng.uniform(0.02, 0.35))
    rows = max(len(left), len(right))
    left = scenes.pad_to_rows(left, rows, (0, gap))
    return np.hstack([left, scenes.pad_to_rows(right, rows, (0, 0))])


def _ink_family(name: str, make: Callable[[Rng, Digits], Ink]) -> Family:
    """Create a family of ink, half of it clean and half of it on paper."""

    def draw(rng: Rng, digits: Digits) -> Picture:
        ink = scenes.place_on_canvas(make(rng, digits), rng, (0.2, 1.2))
        return Picture(scenes.render_clean_or_on_paper(ink, rng), NO_DIGIT)

    return Family("no digit", name, draw)


def _texture(rng: Rng) -> Pixels:
    """Fill the picture with clouds, weave, wood, tiles or waves."""
    shape = tuple(int(side) for side in rng.integers(60, 300, 2))
    rows, columns = np.meshgrid(*(np.arange(side) / min(shape) for side in shape), indexing="ij")
    kind = rng.integers(5)
    bend = scenes.smooth_noise(shape, rng, rng.uniform(2, 5))
    waves = rng.uniform(5, 14)
    if kind == 0:
        values = bend / np.abs(bend).max()
    elif kind == 1:
        values = np.sin(2 * np.pi * waves * rows) * np.sin(2 * np.pi * waves * columns)
    elif kind == 2:
        values = np.sin(2 * np.pi * waves * rows + 3 * bend)
    elif kind == 3:
        values = (np.floor(waves * rows) + np.floor(waves * columns)) % 2 * 2 - 1
    else:
        values = np.sin(2 * np.pi * waves * np.hypot(rows - rng.random(), columns - rng.random()))
    middle, contrast = rng.uniform(0.35, 0.65), rng.uniform(0.12, 0.3)
    return as_pixels(middle + contrast * values)


def _noise(rng: Rng) -> Pixels:
    """Fill the picture with fine or coarse noise, in gray or in black and white."""
    shape = tuple(int(side) for side in rng.integers(20, 120, 2))
    pixels = as_pixels(rng.normal(rng.uniform(0.25, 0.8), rng.uniform(0.1, 0.3), shape))
    if rng.random() < 0.4:
        pixels = as_pixels(rng.random(shape) < rng.uniform(0.05, 0.95))
    grain = int(rng.integers(1, 5))
    method = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, None, fx=grain, fy=grain, interpolation=method))


def _blank(rng: Rng) -> Pixels:
    """Draw an empty canvas, sheet, ruled sheet or form cell, in even or uneven light."""
    shape = tuple(int(side) for side in rng.integers(28, 400, 2))
    if rng.random() < 0.2:
        return np.full(shape, rng.integers(256), np.uint8)
    sheet = scenes.paper_texture(shape, rng, rng.uniform(0.01, 0.03))
    kind = rng.integers(4)
    if kind == 0:
        size = round(min(shape) * rng.uniform(0.5, 1))
        _, lines = scenes.form_cell(np.zeros((size, size), np.float32), rng)
        sheet = scenes.write_on_paper(lines, rng, (0.3, 0.9))
    elif kind <= 2:
        lines = scenes.ruled_lines(shape, rng, min(shape) * rng.uniform(0.2, 0.6), bool(kind == 1))
        sheet = scenes.apply_ink(lines, sheet, rng.uniform(0.12, 0.5))
    if rng.random() < 0.5:
        sheet = sheet * scenes.light_gradient(sheet.shape, rng, rng.uniform(0.4, 0.9))
    return scenes.photograph(sheet, rng, rng.uniform(0.005, 0.04))


def _picture_family(name: str, make: Callable[[Rng], Pixels]) -> Family:
    return Family("no digit", name, lambda rng, _digits: Picture(make(rng), NO_DIGIT))


NON_DIGITS = [
    _ink_family("letters", _letter),
    _ink_family("scribbles", _scribble),
    _ink_family("shapes", _shape),
    _ink_family("pairs", _pair),
    _picture_family("textures", _texture),
    _picture_family("noise", _noise),
    _picture_family("blanks", _blank),
]
