"""Families of sudoku grids and rows of form cells."""

import cv2
import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import NUMBER_GROUP, Family, Ink, Picture, Rng, number_picture
from benchmarks.robustness.numbers import place_on_line, random_number, write_by_hand, write_digit
from benchmarks.robustness.printed import random_face, render_text
from benchmarks.robustness.scenes import log_uniform
from training.data import Digits

SUDOKU_CELLS = 9
SUDOKU_CELL_PX = (22.0, 48.0)
FORM_HEIGHTS_PX = (24.0, 100.0)


def _sudoku(rng: Rng, digits: Digits) -> Picture:
    """Draw a grid that is filled in part, with printed or handwritten digits."""
    cell = round(log_uniform(rng, SUDOKU_CELL_PX))
    thin, margin = int(rng.integers(1, 3)), round(cell * rng.uniform(0.1, 0.5))
    thick = thin * int(rng.integers(1, 4))
    side = SUDOKU_CELLS * cell
    ink = np.zeros((side + 2 * margin, side + 2 * margin), np.float32)
    for line in range(SUDOKU_CELLS + 1):
        at, width = margin + line * cell, thin if line % 3 else thick
        cv2.line(ink, (at, margin), (at, margin + side), 1.0, width)
        cv2.line(ink, (margin, at), (margin + side, at), 1.0, width)
    face = random_face(rng)
    is_printed, filled = rng.random() < 0.7, rng.uniform(0.2, 0.5)
    lines: list[str] = []
    for row in range(SUDOKU_CELLS):
        text = ""
        for column in np.flatnonzero(rng.random(SUDOKU_CELLS) < filled).tolist():
            digit = int(rng.integers(1, 10))
            if is_printed:
                mark = render_text(str(digit), face, round(0.75 * cell))
            else:
                mark = write_digit(digit, rng, digits, 0.6 * cell, 0.1)
            middle = (margin + cell * (row + 0.5), margin + cell * (column + 0.5))
            _paste(ink, mark, middle)
            text += str(digit)
        lines.append(text)
    return number_picture(scenes.render_clean_or_on_paper(ink, rng), "\n".join(lines))


def _paste(ink: Ink, mark: Ink, middle: tuple[float, float]) -> None:
    """Add a mark with its middle at (y, x)."""
    top, left = (round(at - side / 2) for at, side in zip(middle, mark.shape, strict=True))
    part = ink[top : top + mark.shape[0], left : left + mark.shape[1]]
    np.maximum(part, mark, out=part)


def _form_row(rng: Rng, digits: Digits) -> Picture:
    """Write one digit into each cell of a row; cells are boxes or parted by short lines."""
    text, height = random_number(rng), log_uniform(rng, FORM_HEIGHTS_PX)
    pen, is_box = rng.uniform(0.05, 0.12), rng.random() < 0.5
    width, rows = round(height * rng.uniform(1, 1.4)), round(height * rng.uniform(1.3, 1.7))
    margin, line = round(height * rng.uniform(0.1, 0.5)), max(1, round(height * 0.03))
    ink = np.zeros((rows + 2 * margin, width * len(text) + 2 * margin), np.float32)
    lines = ink.copy()
    for index, digit in enumerate(text):
        left = margin + index * width
        mark = write_digit(int(digit), rng, digits, 0.85 * height, pen)
        middle = (margin + rows * rng.uniform(0.45, 0.55), left + width * rng.uniform(0.45, 0.55))
        _paste(ink, mark, middle)
        top = margin if is_box else margin + rows * 2 // 3
        cv2.rectangle(lines, (left, top), (left + width, margin + rows), 1.0, line)
    if not is_box:
        lines[margin + rows * 2 // 3 - line : margin + rows * 2 // 3 + line + 1] = 0
    return _on_form(ink, lines, rng, text)


def _cell_edge(rng: Rng, digits: Digits) -> Picture:
    """Write a number close to an edge of its cell, which must not be read as 1."""
    text, height = random_number(rng, 4), log_uniform(rng, FORM_HEIGHTS_PX)
    if rng.random() < 0.5:
        number = write_by_hand(text, rng, digits, height, rng.uniform(0.05, 0.12), (0.05, 0.35))
    else:
        face = random_face(rng)
        marks = [render_text(digit, face, round(1.3 * height)) for digit in text]
        number = place_on_line(marks, rng, height, (0.1, 0.2), drift=0)
    above, beside = (round(height * rng.uniform(*space)) for space in ((0.15, 0.5), (0.2, 0.5)))
    ink = np.pad(number, ((above, above), (beside, beside)))
    lines, line = np.zeros_like(ink), max(1, round(height * rng.uniform(0.02, 0.06)))
    edge = round(beside * rng.uniform(0.1, 0.5))
    if rng.random() < 0.5:
        edge = lines.shape[1] - edge - line
    lines[:, edge : edge + line] = 1
    if rng.random() < 0.5:  # the lower edge of the cell, too
        lines[-line - above // 4 : -(above // 4) or None] = 1
    return _on_form(ink, lines, rng, text)


def _on_form(ink: Ink, lines: Ink, rng: Rng, text: str) -> Picture:
    sheet = scenes.write_on_paper(lines, rng, (0.3, 0.9))
    sheet = scenes.apply_ink(ink, sheet, rng.uniform(0.65, 0.92))
    return number_picture(scenes.photograph(sheet, rng), text)


GRIDS = [
    Family(NUMBER_GROUP, "sudoku", _sudoku, count_divisor=5),
    Family(NUMBER_GROUP, "form row", _form_row),
    Family(NUMBER_GROUP, "edge of a cell", _cell_edge),
]
