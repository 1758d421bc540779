"""Pictures of which a person says: this is no digit, or this is more than one."""

from collections.abc import Callable

import cv2
import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import NO_DIGIT, Family, Ink, Picture, Pixels, Rng, as_pixels
from benchmarks.robustness.handwriting import any_digit, enlarged, tilted
from benchmarks.robustness.printed import any_face, glyphs, shows
from benchmarks.robustness.strokes import Points, curve, traced
from training.data import Digits

# Not the letters that may be read as digits: O o Q D, I l i |, Z z, S s, b q g, B.
LETTERS = "ACEFGHJKLMNPRTUVWXYacdefhjkmnprtuvwxy"

_TURN = np.linspace(0, 2 * np.pi, 40)
_ROUND = np.column_stack([np.cos(_TURN), np.sin(_TURN)])


def _lines(*lines: list[tuple[float, float]]) -> list[Points]:
    return [np.array(line, float) for line in lines]


# Each within -1 to 1. Neither a ring nor a box: they may be read as 0.
SHAPES: dict[str, list[Points]] = {
    "face": [
        _ROUND, _ROUND * 0.1 + (-0.35, -0.3), _ROUND * 0.1 + (0.35, -0.3),
        _ROUND[2:18] * 0.55 + (0, 0.05),
    ],
    "sun": [_ROUND * 0.45, *(np.array([point * 0.6, point]) for point in _ROUND[::5])],
    "star": [np.column_stack([np.sin(4 * np.pi / 5 * np.arange(6)),
                              -np.cos(4 * np.pi / 5 * np.arange(6))])],
    "heart": [np.column_stack([np.sin(_TURN) ** 3,
                               -(13 * np.cos(_TURN) - 5 * np.cos(2 * _TURN)
                                 - 2 * np.cos(3 * _TURN) - np.cos(4 * _TURN)) / 16])],
    "house": _lines([(-0.8, 1), (-0.8, -0.1), (0, -1), (0.8, -0.1), (0.8, 1), (-0.8, 1)],
                    [(-0.8, -0.1), (0.8, -0.1)], [(-0.2, 1), (-0.2, 0.3), (0.2, 0.3), (0.2, 1)]),
    "tree": _lines([(0, 1), (0, 0.2), (-0.7, 0.2), (0, -1), (0.7, 0.2), (0, 0.2)]),
    "plus": _lines([(-1, 0), (1, 0)], [(0, -1), (0, 1)]),
    "cross": _lines([(-1, -1), (1, 1)], [(-1, 1), (1, -1)]),
    "hash": _lines([(-1, -0.4), (1, -0.4)], [(-1, 0.4), (1, 0.4)], [(-0.4, -1), (-0.4, 1)],
                   [(0.4, -1), (0.4, 1)]),
    "arrow": _lines([(-1, 0), (1, 0)], [(0.4, -0.5), (1, 0), (0.4, 0.5)]),
}  # fmt: skip


def _letter(rng: Rng, _digits: Digits) -> Ink:
    style = str(rng.choice(["regular", "bold", "italic"]))
    letter, face = str(rng.choice(list(LETTERS))), any_face(rng, style)
    while not shows(face, letter):
        face = any_face(rng, style)
    return glyphs(letter, face, int(rng.integers(24, 160)))


def _scribble(rng: Rng, _digits: Digits) -> Ink:
    """A line that goes to and fro."""
    size = rng.uniform(50, 250)
    points = rng.uniform(0, 1, (int(rng.integers(9, 25)), 2)) * (size * rng.uniform(0.6, 1.6), size)
    return traced([curve(points)], size * rng.uniform(0.01, 0.06))


def _shape(rng: Rng, _digits: Digits) -> Ink:
    size = rng.uniform(25, 120)
    paths = SHAPES[str(rng.choice(list(SHAPES)))]
    stretch = size * rng.uniform(0.85, 1.15, 2)
    return tilted(traced([path * stretch for path in paths], size * rng.uniform(0.04, 0.16)), rng)


def _pair(rng: Rng, digits: Digits) -> Ink:
    """Two digits side by side: of the same hand or the same face."""
    if rng.random() < 0.5:
        text = f"{rng.integers(100):02}"
        return glyphs(text, any_face(rng), int(rng.integers(24, 160)))
    height = rng.uniform(40, 200)
    left, right = (enlarged(any_digit(rng, digits)[0], height) for _ in range(2))
    gap = round(height * rng.uniform(0.02, 0.35))
    rows = max(len(left), len(right))
    return np.hstack([scenes.strip(left, rows, (0, gap)), scenes.strip(right, rows, (0, 0))])


def _of_ink(name: str, make: Callable[[Rng, Digits], Ink]) -> Family:
    """Half of them clean, half on paper."""

    def draw(rng: Rng, digits: Digits) -> Picture:
        ink = scenes.loose(make(rng, digits), rng, (0.2, 1.2))
        if rng.random() < 0.5:
            return Picture(scenes.clean(ink, rng), NO_DIGIT)
        sheet = scenes.written(ink, scenes.paper(ink.shape, rng), rng.uniform(0.6, 0.92))
        sheet = sheet * scenes.uneven(ink.shape, rng, rng.uniform(0.6, 1))
        return Picture(scenes.taken(sheet, rng), NO_DIGIT)

    return Family("no digit", name, draw)


def _texture(rng: Rng) -> Pixels:
    """Cloud, weave, wood, tiles or waves, over the whole picture."""
    shape = tuple(int(side) for side in rng.integers(60, 300, 2))
    rows, columns = np.meshgrid(*(np.arange(side) / min(shape) for side in shape), indexing="ij")
    kind = rng.integers(5)
    bend = scenes.clouds(shape, rng, rng.uniform(2, 5))
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
    """Noise of fine or coarse grain, gray or black and white."""
    shape = tuple(int(side) for side in rng.integers(20, 120, 2))
    pixels = as_pixels(rng.normal(rng.uniform(0.25, 0.8), rng.uniform(0.1, 0.3), shape))
    if rng.random() < 0.4:
        pixels = as_pixels(rng.random(shape) < rng.uniform(0.05, 0.95))
    grain = int(rng.integers(1, 5))
    method = cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_NEAREST
    return np.asarray(cv2.resize(pixels, None, fx=grain, fy=grain, interpolation=method))


def _blank(rng: Rng) -> Pixels:
    """Nothing on a canvas, on paper, on ruled paper, in a cell, in uneven light."""
    shape = tuple(int(side) for side in rng.integers(28, 400, 2))
    if rng.random() < 0.2:
        return np.full(shape, rng.integers(256), np.uint8)
    sheet = scenes.paper(shape, rng, rng.uniform(0.01, 0.03))
    kind = rng.integers(4)
    if kind == 0:
        size = round(min(shape) * rng.uniform(0.5, 1))
        _, lines = scenes.cell(np.zeros((size, size), np.float32), rng)
        sheet = scenes.written(lines, scenes.paper(lines.shape, rng), rng.uniform(0.3, 0.9))
    elif kind <= 2:
        lines = scenes.ruled(shape, rng, min(shape) * rng.uniform(0.2, 0.6), bool(kind == 1))
        sheet = scenes.written(lines, sheet, rng.uniform(0.12, 0.5))
    if rng.random() < 0.5:
        sheet = sheet * scenes.uneven(sheet.shape, rng, rng.uniform(0.4, 0.9))
    return scenes.taken(sheet, rng, rng.uniform(0.005, 0.04))


def _whole(name: str, make: Callable[[Rng], Pixels]) -> Family:
    return Family("no digit", name, lambda rng, _digits: Picture(make(rng), NO_DIGIT))


NON_DIGITS = [
    _of_ink("letters", _letter),
    _of_ink("scribbles", _scribble),
    _of_ink("shapes", _shape),
    _of_ink("pairs", _pair),
    _whole("textures", _texture),
    _whole("noise", _noise),
    _whole("blanks", _blank),
]
