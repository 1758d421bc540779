"""Digits in the cells of sudokus, tables and forms."""

import numpy as np

from training.detector import textures
from training.detector.canvas import Canvas, line
from training.detector.colours import any_colour, gray, ink_colour, paper_colour, pencil_colour
from training.detector.effects import frame
from training.detector.numbers import (
    Look,
    random_digit,
    random_digits,
    random_spacing,
    write_number,
)
from training.detector.sources import Sources
from training.detector.text import decorate, scribble

GRID = {"typeface": 0.66, "handwriting": 0.22, "pen": 0.08, "script": 0.04}
FORM = {"handwriting": 0.62, "pen": 0.18, "typeface": 0.14, "script": 0.06}


def sudoku(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """A grid of cells, some with a digit, printed or handwritten or both."""
    if rng.random() < 0.85:
        canvas = Canvas(textures.paper(rng, height, width, ruled=False), rng)
    else:
        canvas = Canvas(textures.ground(rng, sources, height, width), rng)
    columns = int(rng.choice([9, 9, 9, 6, 5, 4, 3]))
    pitch = rng.uniform(0.9, 1.02) * min(height, width) / columns
    if rng.random() < 0.4 or pitch < 12:  # a part of the grid
        pitch = max(12.0, pitch * rng.uniform(1.1, 2.2))
    span = pitch * columns
    left, top = (float(_offset(rng, side, span)) for side in (width, height))
    ground = canvas.mean_colour()
    _shade_blocks(canvas, left, top, pitch, columns)
    _grid(canvas, left, top, pitch, columns)
    style, second = sources.style(rng, GRID), sources.style(rng, FORM)
    colours = ink_colour(rng, ground), ink_colour(rng, ground)
    filled, size = rng.uniform(0.25, 0.9), pitch * rng.uniform(0.45, 0.85)
    mixed, jitter = rng.random() < 0.25, rng.uniform(0, 0.12)
    for row in range(columns):
        for column in range(columns):
            x, y = left + column * pitch, top + row * pitch
            outside = x > width or y > height or x + pitch < 0 or y + pitch < 0
            if outside or rng.random() > filled:
                continue
            other = mixed and rng.random() < 0.5
            digit = random_digit(rng)
            ink = (second if other else style).make(digit, size, rng)
            dx, dy = rng.uniform(-jitter, jitter, 2) * pitch
            x, y = x + (pitch - ink.shape[1]) / 2 + dx, y + (pitch - len(ink)) / 2 + dy
            canvas.digit(ink, x, y, digit, colours[other], rng.uniform(0.85, 1))
    return canvas


def _offset(rng: np.random.Generator, side: int, span: float) -> float:
    return rng.uniform(0, side - span) if span < side else -rng.uniform(0, span - side)


def _grid(canvas: Canvas, left: float, top: float, pitch: float, cells: int) -> None:
    rng, layer = canvas.rng, canvas.layer()
    thin = max(1.0, pitch * rng.uniform(0.015, 0.06))
    thick = thin + (rng.integers(0, 3) if rng.random() < 0.7 else 0)
    for k in range(cells + 1):
        width = thick if k % 3 == 0 else thin
        x, y, end = left + k * pitch, top + k * pitch, cells * pitch
        line(layer, (x, top), (x, top + end), width)
        line(layer, (left, y), (left + end, y), width)
    ground = canvas.mean_colour()
    colour = ink_colour(rng, ground, 30) if rng.random() < 0.5 else any_colour(rng, 0, 120)
    canvas.blend(layer, 0, 0, colour, rng.uniform(0.5, 1))


def _shade_blocks(canvas: Canvas, left: float, top: float, pitch: float, cells: int) -> None:
    """Darken every second block of 3x3 cells, in some grids."""
    if canvas.rng.random() < 0.15:
        shade = np.float32(canvas.rng.uniform(0.7, 0.95))
        for row in range(0, cells, 3):
            for column in range(3 * (row // 3 % 2), cells, 6):
                x, y = int(left + column * pitch), int(top + row * pitch)
                end_x, end_y = max(0, int(x + 3 * pitch)), max(0, int(y + 3 * pitch))
                canvas.picture[max(0, y) : end_y, max(0, x) : end_x] *= shade


def boxes(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """A row of boxes of a form with a digit in each."""
    canvas = Canvas(textures.paper(rng, height, width, ruled=rng.random() < 0.15), rng)
    count = int(rng.integers(1, 10))
    size = max(9.0, min(height * rng.uniform(0.4, 0.75), width / count * rng.uniform(0.5, 0.9)))
    ground = canvas.mean_colour()
    colour, edge = pencil_colour(rng, ground), ink_colour(rng, ground, 30)
    pitch = min(width / count * rng.uniform(0.8, 1.05), size * rng.uniform(1, 1.7))
    tall, thick = size * rng.uniform(1.05, 1.6), max(1.0, size * rng.uniform(0.02, 0.09))
    left, top = (width - pitch * count) * rng.uniform(0, 1), (height - tall) * rng.uniform(0, 1)
    gap = pitch * rng.uniform(0, 0.2) if rng.random() < 0.4 else 0.0
    style = sources.style(rng, FORM)
    for index in range(count):
        x = left + index * pitch
        frame(canvas, (x, top, x + pitch - gap, top + tall), thick, edge)
        if rng.random() < 0.12:
            continue
        digit = random_digit(rng)
        ink = style.make(digit, size * rng.uniform(0.8, 1.15), rng)
        dx, dy = rng.uniform(-0.15, 0.15, 2) * size
        x, y = x + (pitch - gap - ink.shape[1]) / 2 + dx, top + (tall - len(ink)) / 2 + dy
        canvas.digit(ink, x, y, digit, colour, rng.uniform(0.75, 1))
    return canvas


def row(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """Rows of a table with a number in each cell: marks, a ledger, a price list."""
    paper = paper_colour(rng) if rng.random() < 0.6 else gray(rng, 200, 255)
    canvas = Canvas(textures.plain(rng, height, width, paper), rng)
    ground = canvas.mean_colour()
    rows = 1 if height < 70 else int(rng.integers(1, 6))
    tall = height / rows * rng.uniform(0.8, 1.1)
    size = max(9.0, tall * rng.uniform(0.35, 0.7))
    wide = max(1.6 * size, min(float(width), size * rng.uniform(1.8, 5)))
    top, left = rng.uniform(-0.2, 0.2) * tall, rng.uniform(-0.5, 0.2) * wide
    edge = ink_colour(rng, ground, 30) if rng.random() < 0.6 else any_colour(rng, 0, 70)
    _rules(canvas, top, left, tall, wide)
    style = sources.style(rng, FORM)
    colour = pencil_colour(rng, ground) if rng.random() < 0.7 else ink_colour(rng, ground)
    look = Look(
        style, colour, size, rng.uniform(0.7, 1), min(0.3, random_spacing(rng, style)), 0.08
    )
    for y in np.arange(top, height, tall):
        for x in np.arange(left, width, wide):
            if rng.random() < 0.12:
                continue
            room = max(1, int((wide - 0.4 * size) / (0.75 * size)))
            digits = random_digits(rng, int(rng.integers(1, min(5, room) + 1)))
            start = x + rng.uniform(0.1, 0.3) * size
            above = y + max(0.0, tall - size) * rng.uniform(0.2, 0.8)
            end = write_number(canvas, look, digits, start, above)
            decorate(canvas, sources, (start, above, end, above + size), colour, 0.1)
    if rng.random() < 0.15:
        area = (rng.uniform(0, 0.5) * width, -0.3 * height, float(width), 0.3 * height)
        scribble(canvas, area, edge, size * 0.07)
    return canvas


def _rules(canvas: Canvas, top: float, left: float, tall: float, wide: float) -> None:
    """Draw the lines between rows and columns; one of each may be a thick edge."""
    rng, layer = canvas.rng, canvas.layer()
    thick = max(1.0, rng.uniform(0.5, 4)) if rng.random() < 0.85 else rng.uniform(5, 16)
    if rng.random() < 0.85:
        for x in np.arange(left, canvas.width + wide, wide):
            line(layer, (x, -3), (x + rng.uniform(-2, 2), canvas.height + 3), thick)
    if rng.random() < 0.7:
        for y in np.arange(top, canvas.height + tall, tall):
            line(layer, (-3, y), (canvas.width + 3, y + rng.uniform(-2, 2)), thick)
    colour = ink_colour(rng, canvas.mean_colour(), 30)
    canvas.blend(layer, 0, 0, colour, rng.uniform(0.5, 1))
