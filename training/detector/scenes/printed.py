"""Printed numbers: receipts, dates, phone numbers, prices and running text."""

import numpy as np

from training.detector import textures
from training.detector.canvas import Canvas, line
from training.detector.colours import any_colour, gray, ink_colour, paper_colour
from training.detector.effects import panel
from training.detector.numbers import Look, random_digits, write_number
from training.detector.scenes.sizes import digit_height
from training.detector.sources import PRINTED, Sources
from training.detector.styles import Typeface
from training.detector.text import (
    decorate,
    edge_text,
    mark,
    scatter_words,
    unit,
    word,
    write_beside,
    write_text,
)

PATTERNS = (
    *("#.##", "##.##", "###.##", "#,###.##", "##/##/####", "##-##-##", "##.##.####", "##:##"),
    *("##/##/##", "####-##-##", "##:##:##", "##-########", "##########", "#####", "### ### ####"),
    *("##/##/####", "##/##/####", "##/##/##", "#/##", "##:##", "#.##", "##-##-####", "###-####"),
    *("(###) ###", "##", "###", "####", "######", "#'###.##", "## ## ##", "#/#", "##.#"),
)
"""Amounts, dates, times, phone numbers and lists; # stands for a digit."""


def receipt(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """Lines of a receipt or a label: numbers with separators, some with words."""
    paper = gray(rng, 170, 255) if rng.random() < 0.7 else paper_colour(rng)
    canvas = Canvas(textures.plain(rng, height, width, paper), rng)
    style = sources.style(rng, PRINTED)
    size = digit_height(rng, 0.9 * height)
    colour = ink_colour(rng, canvas.mean_colour())
    opacity, pitch = rng.uniform(0.6, 1), size * rng.uniform(1.2, 2)
    cell = size * rng.uniform(0.6, 0.9) if rng.random() < 0.3 else None
    y = rng.uniform(0, 0.3) * size if pitch < height else (height - size) * rng.uniform(0, 1)
    while y + 0.9 * size < height:
        pattern = PATTERNS[rng.integers(len(PATTERNS))]
        look = Look(style, colour, size, opacity, rng.uniform(0.05, 0.2), cell=cell)
        x = rng.uniform(0, 0.3) * width
        if rng.random() < 0.5 and isinstance(style, Typeface):
            text, gap = (word(rng), 0.4) if rng.random() < 0.5 else (mark(rng), rng.uniform(0, 0.4))
            x = write_text(canvas, text, x, y, size, colour, style, opacity) + gap * size
        digits, separators = split_pattern(rng, pattern)
        end = write_number(canvas, look, digits, x, y, separators)
        if rng.random() < 0.45 and isinstance(style, Typeface):
            start = end + size * rng.uniform(0, 0.5)
            end = write_text(canvas, unit(rng), start, y, size, colour, style, opacity) + 0.2 * size
        if rng.random() < 0.4 and end + size < width:
            digits, separators = split_pattern(rng, PATTERNS[rng.integers(len(PATTERNS))])
            end = write_number(canvas, look, digits, end + 0.7 * size, y, separators)
        decorate(canvas, sources, (x, y, min(end, width), y + size), colour, 0.25)
        y += pitch
    return canvas


def split_pattern(rng: np.random.Generator, pattern: str) -> tuple[list[int], str]:
    """Return random digits for a pattern, and what follows each ("_" for nothing)."""
    separators = ""
    for character in pattern:
        if character == "#":
            separators += "_"
        elif separators and character in ".,/-: ":
            separators = separators[:-1] + character
    return random_digits(rng, len(separators)), separators


def price(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """A price tag: bold digits, then two small raised ones, with an edge or words."""
    canvas = Canvas(textures.plain(rng, height, width, any_colour(rng, 30, 255)), rng)
    ground = canvas.mean_colour()
    colour = ink_colour(rng, ground)
    size = height * rng.uniform(0.35, 0.85)
    style = sources.style(rng, PRINTED)
    if rng.random() < 0.3:
        edge = rng.uniform(0.6, 0.95) * width
        panel(canvas, (edge, -5, width + 5, height + 5), any_colour(rng), 0)
    if rng.random() < 0.3:
        scatter_words(canvas, sources, 2, size, colour)
    x, y = rng.uniform(0.02, 0.3) * width, (height - size) * rng.uniform(0.1, 0.9)
    if rng.random() < 0.3 and isinstance(style, Typeface):
        x = write_text(canvas, mark(rng), x, y, size * rng.uniform(0.5, 1), colour, style)
    look = Look(style, colour, size, rng.uniform(0.7, 1), rng.uniform(0.02, 0.15))
    count = int(rng.integers(1, 4))
    separators = "_" * (count - 1) + (".," if rng.random() < 0.5 else "_-")[int(rng.integers(2))]
    end = write_number(canvas, look, random_digits(rng, count), x, y, separators)
    if rng.random() < 0.75:
        small = Look(style, colour, size * rng.uniform(0.4, 0.65), look.opacity, look.spacing)
        if rng.random() < 0.2:
            layer = canvas.layer()
            line(
                layer,
                (end, y + small.height * 1.15),
                (end + 1.4 * small.height, y + small.height * 1.15),
                0.08 * size,
            )
            canvas.blend(layer, 0, 0, colour)
        end = write_number(canvas, small, random_digits(rng, 2), end, y, "__")
    if rng.random() < 0.3:
        lower = size * rng.uniform(0.5, 1)
        start, top = end + size * rng.uniform(0, 0.3), y + size - lower
        end = write_beside(canvas, sources, style, "unit", start, top, lower, colour)
    decorate(canvas, sources, (x, y, end, y + size), colour, 0.3)
    if rng.random() < 0.3:
        edge_text(canvas, sources, size, colour)
    return canvas


def page(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """Running text with numbers in it."""
    canvas = Canvas(textures.ground(rng, sources, height, width), rng)
    colour, font = ink_colour(rng, canvas.mean_colour()), sources.typeface(rng)
    size = digit_height(rng, (0.4 if height > 80 else 0.8) * height)
    y = rng.uniform(0, 0.5) * size
    while y + 0.9 * size < height:
        x = rng.uniform(0, 0.2) * width
        while x + size < width:
            if rng.random() < 0.45:
                digits, separators = split_pattern(rng, PATTERNS[rng.integers(len(PATTERNS))])
                look = Look(font, colour, size, 1.0, 0.1)
                if rng.random() < 0.3:
                    x = write_text(canvas, mark(rng), x, y, size, colour, font)
                x = write_number(canvas, look, digits, x, y, separators)
                if rng.random() < 0.4:
                    start = x + size * rng.uniform(0.1, 0.4)
                    x = write_text(canvas, unit(rng), start, y, size, colour, font)
            else:
                x = write_text(canvas, word(rng), x, y, size, colour, font)
            x += 0.5 * size
        y += size * rng.uniform(1.3, 1.9)
    return canvas
