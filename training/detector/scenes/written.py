"""Handwritten numbers: lines on any ground, cheques, and notes in the registers of a parish."""

import cv2
import numpy as np

from training.detector import textures
from training.detector.canvas import Canvas, Colour, line
from training.detector.colours import any_colour, gray, ink_colour, pencil_colour
from training.detector.effects import frame
from training.detector.numbers import Look, random_digits, random_spacing, write_number
from training.detector.scenes.sizes import digit_height
from training.detector.sources import MIXED, WRITTEN, Sources, pen
from training.detector.text import (
    decorate,
    edge_text,
    scatter_words,
    scribble,
    word,
    write_beside,
    write_text,
)


def lines(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """One to many lines of numbers in one style, mostly handwriting, on any ground."""
    canvas = Canvas(textures.ground(rng, sources, height, width), rng)
    style = sources.style(rng, WRITTEN if rng.random() < 0.65 else MIXED)
    size = digit_height(rng, 0.9 * height)
    ground = canvas.mean_colour()
    colour = pencil_colour(rng, ground) if rng.random() < 0.4 else ink_colour(rng, ground)
    pitch = size * rng.uniform(1.15, 2.2)
    count = int(rng.integers(1, max(2, int(height / pitch) + 1)))
    y = rng.uniform(0, max(1.0, height - count * pitch))
    for _ in range(count):
        if y + 0.9 * size > height:
            break
        look = Look(
            style,
            colour,
            size,
            rng.uniform(0.75, 1),
            random_spacing(rng, style),
            separator_share=0.12 if rng.random() < 0.5 else 0.0,
        )
        digits = random_digits(rng, int(rng.integers(1, 12)))
        x = rng.uniform(0.01, 0.35 if len(digits) > 2 else 0.7) * width
        if rng.random() < 0.25:
            gap = size * rng.uniform(0.05, 0.4)
            x = write_beside(canvas, sources, style, "mark", x, y, size, colour, look.opacity) + gap
        end = write_number(canvas, look, digits, x, y)
        if rng.random() < 0.3:
            start = end + size * rng.uniform(0, 0.5)
            end = write_beside(canvas, sources, style, "unit", start, y, size, colour, look.opacity)
        decorate(canvas, sources, (x, y, end, y + size), colour, 0.7)
        if rng.random() < 0.4 and end + 2 * size < width:
            second = random_digits(rng, int(rng.integers(1, 8)))
            write_number(canvas, look, second, end + size * rng.uniform(0.5, 2), y)
        y += pitch * rng.uniform(0.95, 1.2)
    return canvas


def cheque(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """The amount on a cheque: security printing, currency signs, strokes that fill the line."""
    if rng.random() < 0.75:
        canvas = Canvas(textures.cheque(rng, height, width), rng)
    else:
        canvas = Canvas(textures.paper(rng, height, width, ruled=rng.random() < 0.4), rng)
    ground = canvas.mean_colour()
    faint = np.clip(ground - rng.uniform(15, 60), 0, 255)
    if rng.random() < 0.3:
        scatter_words(canvas, sources, 2, height, faint)
    size = height * rng.uniform(0.35, 0.85)
    style = sources.style(rng, WRITTEN)
    colour = gray(rng, 0, 70) if rng.random() < 0.6 else ink_colour(rng, ground, 70)
    if rng.random() < 0.35:
        edge = rng.uniform(-4, 8, 4)
        box = (edge[0], edge[1], width - edge[2], height - edge[3])
        frame(canvas, box, rng.uniform(1, 3), any_colour(rng, 0, 140))
    x, y = rng.uniform(0, 0.25) * width, (height - size) * rng.uniform(0.1, 0.9)
    if rng.random() < 0.35:
        small = size * rng.uniform(0.5, 1)
        x = write_beside(canvas, sources, style, "mark", x, y, small, colour) + 0.1 * size
    look = Look(style, colour, size, rng.uniform(0.7, 1), random_spacing(rng, style), 0.15)
    end = write_number(canvas, look, random_digits(rng, int(rng.integers(2, 9))), x, y)
    _fill_line(canvas, end, y, size, colour)
    if rng.random() < 0.15:
        edge_text(canvas, sources, size, faint if rng.random() < 0.5 else colour)
    decorate(canvas, sources, (x, y, end, y + size), colour, 0.3)
    return canvas


def _fill_line(canvas: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    """Draw the dashes, dots or small fraction that end an amount."""
    rng, layer = canvas.rng, canvas.layer()
    thick = size * rng.uniform(0.04, 0.1)
    if rng.random() < 0.5:
        start = x + size * rng.uniform(0.05, 0.3)
        for _ in range(rng.integers(1, 3)):
            a, b = y + size * rng.uniform(0.35, 0.75, 2)
            line(layer, (start, a), (start + size * rng.uniform(0.3, 1.8), b), thick)
    if rng.random() < 0.3:
        centre = (round(x + 0.05 * size), round(y + 0.95 * size))
        cv2.circle(layer, centre, max(1, round(thick)), 255, -1, cv2.LINE_AA)
    canvas.blend(layer, 0, 0, colour)


def register(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Canvas:
    """A short number in a column of a register: steep thin pen, ruled lines, the edge of a page."""
    canvas = Canvas(textures.paper(rng, height, width, ruled=rng.random() < 0.3), rng)
    if rng.random() < 0.6:  # scanned in gray
        canvas.picture[:] = canvas.picture.mean(axis=2, keepdims=True)
    ground = canvas.mean_colour()
    style = pen(rng) if rng.random() < 0.3 else sources.handwriting(rng)
    short = min(height, width)
    size = float(np.clip(short * rng.uniform(0.12, 0.75), 9, 110))
    colour = np.clip(ground - rng.uniform(50, 200), 0, 255)
    digits = random_digits(rng, int(rng.choice([1, 2, 2, 2, 4])))
    if len(digits) == 4 and rng.random() < 0.8:
        digits[0] = 1
    look = Look(style, colour, size, rng.uniform(0.6, 1), rng.uniform(-0.1, 0.15))
    wide = len(digits) * 0.6 * size
    rows = int(rng.integers(1, 1 + max(1, min(4, int(height / (2.5 * size))))))
    for row in range(rows):
        x = float(np.clip(rng.uniform(0.1, 0.8) * width, 2, max(3.0, width - wide)))
        y = (row + rng.uniform(0.1, 0.8)) * max(1.0, height - size) / rows
        end = write_number(canvas, look, digits, x, y)
        decorate(canvas, sources, (x, y, end, y + size), colour, 0.4)
        digits = random_digits(rng, len(digits))
    if rng.random() < 0.35:  # the neighbouring entry
        area = (width * rng.uniform(0.5, 0.9), 0.0, width * 1.3, height * rng.uniform(0.2, 0.6))
        scribble(canvas, area, colour, size * rng.uniform(0.03, 0.1))
    if rng.random() < 0.2:
        text, font = word(rng), sources.typeface(rng, script=True)
        write_text(
            canvas, text, rng.uniform(0, 0.5) * width, height - 0.6 * size, 0.6 * size, colour, font
        )
    _page_edges(canvas)
    return canvas


def _page_edges(canvas: Canvas) -> None:
    """Draw column rules, and the dark beyond one side of the page."""
    rng, layer = canvas.rng, canvas.layer()
    height, width = canvas.height, canvas.width
    for _ in range(int(rng.integers(0, 4))):
        thick = rng.uniform(1, 4)
        if rng.random() < 0.5:
            x = rng.uniform(0, 0.12) * width if rng.random() < 0.5 else rng.uniform(0.88, 1) * width
            line(layer, (x, -2), (x + rng.uniform(-4, 4), height + 2), thick)
        else:
            y = (
                rng.uniform(0, 0.12) * height
                if rng.random() < 0.5
                else rng.uniform(0.88, 1) * height
            )
            line(layer, (-2, y), (width + 2, y + rng.uniform(-4, 4)), thick)
    canvas.blend(layer, 0, 0, gray(rng, 0, 120), rng.uniform(0.5, 1))
    if rng.random() < 0.3:
        # Dark, and nothing is written there: what lies below stays a digit only if uncovered.
        reach = int(rng.uniform(0.05, 0.3) * width)
        left = min((outline[:, 0].min() for _, outline in canvas.shapes), default=width)
        reach = min(reach, int(left) - 2)
        if reach > 2:
            canvas.picture[:, :reach] = gray(rng, 0, 50)
