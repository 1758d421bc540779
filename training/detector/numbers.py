"""Numbers: digits of one style in a line, with spacing, separators and effects."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from training.detector.canvas import Canvas, Colour, line
from training.detector.displays import SevenSegments
from training.detector.effects import Effect, no_effect
from training.detector.styles import Handwriting, Pen, Style, Typeface

SEPARATORS = ".,/-: "
SEPARATOR_SHARES = (0.3, 0.22, 0.16, 0.1, 0.12, 0.1)
REPEATED_SHARE = 0.12  # numbers that end in the same digit several times
LEADING_ZEROS_SHARE = 0.04
WEIGHTS = np.array([1.0, 2.2, 1.0, 1.0, 1.0, 1.0, 1.0, 1.25, 1.0, 1.0])
"""How often each digit is drawn: ones are missed, and sevens misread, more often than others."""
COMMON_TAILS = (0, 0, 0, 5, 1, 7, 9)
TALL_ONES_SHARE = 0.12  # handwritten ones that are taller than their neighbours
TALL_ONE = (1.1, 1.6)  # their height, as a multiple

_BOUNDS = np.cumsum(WEIGHTS / WEIGHTS.sum())[:-1]


@dataclass(frozen=True)
class Look:
    """How the digits of a number are drawn."""

    style: Style
    colour: Colour
    height: float
    opacity: float = 1.0
    spacing: float = 0.12
    """Between digits, as a fraction of the height; negative lets them touch."""
    separator_share: float = 0.0
    """How often a separator follows a digit."""
    cell: float | None = None
    """The pitch of fixed-width digits in pixels, or None for the width of the ink."""
    effect: Effect = no_effect
    unlit: float = 0.0
    """The opacity of the unlit segments of a display."""


def random_digit(rng: np.random.Generator) -> int:
    """Return a digit."""
    return int(np.searchsorted(_BOUNDS, rng.random(), side="right"))


def random_digits(rng: np.random.Generator, count: int) -> list[int]:
    """Return digits, sometimes with a tail such as 000."""
    digits = np.array([random_digit(rng) for _ in range(count)])
    if rng.random() < REPEATED_SHARE:
        digits[rng.integers(count) :] = COMMON_TAILS[rng.integers(len(COMMON_TAILS))]
    if rng.random() < LEADING_ZEROS_SHARE:
        digits[: rng.integers(count + 1)] = 0
    return [int(digit) for digit in digits]


def is_handwritten(style: Style) -> bool:
    """Whether the digits of a style vary in height and position."""
    return isinstance(style, Handwriting | Pen)


def random_spacing(rng: np.random.Generator, style: Style) -> float:
    """Return a spacing that is usual for a style."""
    if is_handwritten(style):
        return rng.uniform(-0.1, 0.15) if rng.random() < 0.65 else rng.uniform(0.15, 1.2)
    return rng.uniform(0.03, 0.25) if rng.random() < 0.85 else rng.uniform(0.25, 0.8)


def write_number(
    canvas: Canvas, look: Look, digits: Sequence[int], x: float, y: float, separators: str = ""
) -> float:
    """Write digits from x rightwards; what does not fit into the picture is left out.

    Args:
        canvas: where to write.
        look: style, colour and size.
        digits: what to write.
        x: where the number begins, in pixels.
        y: where tall digits begin.
        separators: what follows each digit, a character of `SEPARATORS` or "_" for nothing; if
            empty, chosen by `look.separator_share`.

    Returns:
        Where the number ends, in pixels.
    """
    rng, height = canvas.rng, look.height
    wild = is_handwritten(look.style)
    jitter, growth = (rng.uniform(0, 0.08), rng.uniform(0, 0.15)) if wild else (0.0, 0.0)
    slope, begin = rng.uniform(-0.06, 0.06) if wild else 0.0, x
    for index, digit in enumerate(digits):
        if x + 0.3 * height > canvas.width and index:
            break
        top = y + (x - begin) * slope + height * rng.uniform(-jitter, jitter)
        tall = wild and digit == 1 and rng.random() < TALL_ONES_SHARE
        taller = rng.uniform(*TALL_ONE) if tall else 1.0
        x += _write_digit(canvas, look, digit, x, top, taller + rng.uniform(-growth, growth))
        space = height * look.spacing * (rng.uniform(0.4, 1.4) if wild else 1.0)
        mark = separators[index : index + 1] or _separator(rng, look, index + 1 < len(digits))
        if mark != "_":
            x += space + _write_separator(canvas, look, mark, x + space, top)
        x += space
    return x


def _separator(rng: np.random.Generator, look: Look, more: bool) -> str:
    if not more or rng.random() >= look.separator_share:
        return "_"
    return SEPARATORS[rng.choice(len(SEPARATORS), p=SEPARATOR_SHARES)]


def _write_digit(
    canvas: Canvas, look: Look, digit: int, x: float, y: float, growth: float
) -> float:
    """Write one digit and return how far the next one is, without spacing."""
    height, style = look.height, look.style
    if isinstance(style, SevenSegments):
        lit, unlit, width, margin = style.placed(digit, height)
        if look.unlit:
            canvas.blend(unlit, x - margin, y - margin, look.colour, look.unlit)
        look.effect(canvas, lit, x - margin, y - margin)
        canvas.digit(lit, x - margin, y - margin, digit, look.colour, look.opacity)
        return width
    ink = style.make(digit, height * growth, canvas.rng)
    width = ink.shape[1]
    if look.cell and width > look.cell:
        size = (max(2, int(look.cell)), len(ink))
        ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
    left = x + (look.cell - ink.shape[1]) / 2 if look.cell else x
    # Digits stand on the baseline, except that handwriting is centred.
    top = y + (height - len(ink)) * (0.5 if is_handwritten(style) else 1.0)
    look.effect(canvas, ink, left, top)
    canvas.digit(ink, left, top, digit, look.colour, look.opacity)
    return look.cell or float(width)


def _write_separator(canvas: Canvas, look: Look, mark: str, x: float, y: float) -> float:
    """Draw a separator and return its width."""
    rng, height = canvas.rng, look.height
    if isinstance(look.style, Typeface) and mark != " ":
        ink = look.style.character(mark, height)
        if ink is not None:
            drop = {".": 1.0, "/": 0.5, "-": 0.55, ":": 0.85}.get(mark)
            top = y + (height - len(ink)) * drop if drop else y + height - 0.5 * len(ink)
            canvas.blend(ink, x, top, look.colour, look.opacity)
            return float(ink.shape[1])
    layer, thick = canvas.layer(), max(1.0, height * rng.uniform(0.05, 0.12))
    base, width = y + height, 1.5 * thick
    if mark in ".:":
        for level in (0.97,) if mark == "." else (0.3, 0.75):
            centre = (round(x + thick), round(y + height * level))
            cv2.circle(layer, centre, max(1, round(0.7 * thick)), 255, -1, cv2.LINE_AA)
    elif mark == ",":
        tail = (x - 0.3 * thick, base + height * rng.uniform(0.05, 0.25))
        line(layer, (x + 1.2 * thick, base - thick), tail, thick)
    elif mark == "-":
        width = height * rng.uniform(0.2, 0.5)
        line(layer, (x, y + height * 0.5), (x + width, y + height * rng.uniform(0.45, 0.6)), thick)
    elif mark == "/":
        width = height * rng.uniform(0.25, 0.5)
        line(layer, (x, base + 0.1 * height), (x + width, y - 0.1 * height), 0.7 * thick)
    else:
        width = height * rng.uniform(0.25, 0.7)
    canvas.blend(layer, 0, 0, look.colour, look.opacity)
    return width
