"""Letters, symbols, scribbles and lines around numbers: what is not a digit."""

from typing import Literal

import cv2
import numpy as np

from training.detector.canvas import Canvas, Colour, line
from training.detector.letters import LETTER_ASPECT, LETTERS, SIGNS
from training.detector.numbers import is_handwritten
from training.detector.sources import Sources, pen
from training.detector.styles import Style, Typeface

CLEAR = "ACEFGHJKLMNPRTUVWXYacdefhkmnprtuvwxyAEFHKLMNRTVWXY"
AMBIGUOUS = "OoIlSZBDQbqgzsi|"
"""Letters that look like digits in some font: their boxes are ignored."""
SYMBOLS = "$€£¥%&#@*+=?!()[]/-~§"
WORDS = (
    *("Total", "Date", "Price", "Amount", "Tel", "Room", "Line", "Size", "Model", "Weight", "Tax"),
    *("Cash", "Change", "Page", "Volt", "Power", "Lot", "Qty", "Max", "Min", "Only", "Bus", "Sale"),
)
UNITS = (
    *("kWh", "°C", "°F", "m³", "kg", "km", "%", "%", "$", "$", "€", "+", "x", "V", "A", "Hz", "mm"),
    *("CAL", "KW", "kg", "lb", "ml", "USD", "EUR", "?", "&", "@", "£", "¥", "cm", "g", "pcs"),
    *(4 * ("$",) + 5 * ("?",) + 2 * ("§",) + 3 * ("kg",) + 3 * ("g",) + 2 * ("%",)),
)
"""What may stand after a number; repeated entries are drawn more often."""
MARKS = (
    *("$", "$", "$", "$", "#", "=", "+", "€", "No", "**", "R$", "Rs", "£", "-", "--", "*", ".-"),
    *("Nr", "US$", "USD", "EUR", "¥", "@", "&", "?", "§", "~"),
    *("$", "$", "$", "$", "?", "§", "§"),
)
"""What may stand before a number; repeated entries are drawn more often."""
PEN_SHARE = 0.6
"""How often handwriting has handwritten signs and letters beside it, and no printed ones."""


def word(rng: np.random.Generator, length: int | None = None) -> str:
    """Return a word, or random characters, mostly letters that no digit resembles."""
    if not length and rng.random() < 0.25:
        found = WORDS[rng.integers(len(WORDS))]
        return (found, found.upper(), found.lower())[rng.integers(3)]
    pool = CLEAR if rng.random() < 0.65 else CLEAR + AMBIGUOUS + SYMBOLS
    letters = rng.integers(len(pool), size=length or rng.integers(1, 9))
    return "".join(pool[i] for i in letters)


def write_text(
    canvas: Canvas,
    text: str,
    x: float,
    y: float,
    height: float,
    colour: Colour,
    font: Typeface,
    opacity: float = 1.0,
) -> float:
    """Write letters whose capitals are `height` high; return where they end."""
    is_known = text in UNITS + MARKS
    for index, character in enumerate(text):
        ink = font.character(character, height) if character != " " else None
        if ink is None:
            x += 0.4 * height
            continue
        raised = 0.4 * (height - len(ink)) if character in "-+=*°" else 0
        top = y + height - len(ink) - raised
        canvas.blend(ink, x, top, colour, opacity)
        if character in AMBIGUOUS and not (is_known or _is_inside_a_word(text, index)):
            canvas.ignore(x, top, ink.shape[1], len(ink))
        x += ink.shape[1] + 0.1 * height
        if x > canvas.width:
            break
    return x


def _is_inside_a_word(text: str, index: int) -> bool:
    """Whether the neighbours of a letter show that it is none of the digits it resembles."""
    before, after = text[index - 1 : index], text[index + 1 : index + 2]
    clear = (before != "" and before in CLEAR) + (after != "" and after in CLEAR)
    return clear == 2 or (clear == 1 and len(text) > 3)


def mark(rng: np.random.Generator) -> str:
    """Return what may stand before a number."""
    return MARKS[rng.integers(len(MARKS))]


def unit(rng: np.random.Generator) -> str:
    """Return what may stand after a number."""
    return UNITS[rng.integers(len(UNITS))]


def write_beside(
    canvas: Canvas,
    sources: Sources,
    style: Style,
    what: Literal["mark", "unit"],
    x: float,
    y: float,
    height: float,
    colour: Colour,
    opacity: float = 1.0,
) -> float:
    """Write a mark or a unit in the style of the number beside it; return where it ends.

    That is the same typeface or, beside handwriting, a handwritten sign or letter.
    """
    rng = canvas.rng
    text, forms = (mark(rng), SIGNS) if what == "mark" else (unit(rng), LETTERS)
    if is_handwritten(style) and rng.random() < PEN_SHARE:
        paths = forms[int(rng.integers(len(forms)))]
        ink = pen(rng).draw(paths, LETTER_ASPECT, height, rng)
        canvas.blend(ink, x, y, colour, opacity)
        return x + float(ink.shape[1])
    font = style if isinstance(style, Typeface) else sources.typeface(rng)
    return write_text(canvas, text, x, y, height, colour, font, opacity)


def scatter_words(
    canvas: Canvas, sources: Sources, count: int, height: float, colour: Colour
) -> None:
    """Write words anywhere; digits are drawn over them later."""
    rng = canvas.rng
    for _ in range(count):
        x, y = rng.uniform(0, 0.7) * canvas.width, rng.uniform(0, 0.9) * canvas.height
        size = max(5.0, height * rng.uniform(0.15, 0.6))
        write_text(
            canvas, word(rng), x, y, size, colour, sources.typeface(rng), rng.uniform(0.5, 1)
        )


def edge_text(canvas: Canvas, sources: Sources, height: float, colour: Colour) -> None:
    """Write a line of words that the upper or lower border of the picture cuts."""
    rng = canvas.rng
    size = max(5.0, height * rng.uniform(0.15, 0.6))
    above, font = rng.random() < 0.4, sources.typeface(rng)
    y = -size * rng.uniform(0.2, 0.7) if above else canvas.height - size * rng.uniform(0.3, 0.8)
    x = -size * rng.uniform(0, 2)
    while x < canvas.width:
        x = write_text(canvas, word(rng), x, y, size, colour, font) + size * rng.uniform(0.3, 1)


def decorate(
    canvas: Canvas,
    sources: Sources,
    box: tuple[float, float, float, float],
    colour: Colour,
    shares: float = 1.0,
) -> None:
    """Add underlines, frames, units and dashes around a number; `shares` scales how often.

    Args:
        canvas: where the number already is.
        sources: for the fonts.
        box: left, top, right and bottom of the number.
        colour: of the number's ink.
        shares: 0 adds nothing, 1 about one thing in two numbers.
    """
    rng, (left, top, right, bottom) = canvas.rng, box
    right, height = max(right, left + 1), bottom - top
    gap, width = height * rng.uniform(0.08, 0.4), max(1.0, height * rng.uniform(0.02, 0.09))
    layer = canvas.layer()
    if rng.random() < 0.2 * shares:
        y, end = bottom + gap, right + gap * rng.uniform(0, 2)
        line(layer, (left - gap, y), (end, y + gap * rng.uniform(-0.3, 0.3)), width)
    if rng.random() < 0.1 * shares:
        a, b = (round(left - gap), round(top - gap)), (round(right + gap), round(bottom + gap))
        cv2.rectangle(layer, a, b, 255, round(width), cv2.LINE_AA)
    if rng.random() < 0.05 * shares:
        centre = (round((left + right) / 2), round((top + bottom) / 2))
        axes = (round((right - left) / 2 + gap + height / 5), round(height / 2 + gap + height / 5))
        cv2.ellipse(layer, centre, axes, rng.uniform(-10, 10), 0, 360, 255, round(width))
    if rng.random() < 0.1 * shares:
        # The edge of a cell or a bracket: only where it is longer than digits is it none.
        x, longer = right + gap if rng.random() < 0.5 else left - gap, rng.uniform(0, 0.6) * height
        line(layer, (x, top - longer), (x + gap * rng.uniform(-0.2, 0.4), bottom + longer), width)
        if longer < 0.35 * height:
            canvas.ignore(x - width, top - longer, 2 * width + gap / 2, height + 2 * longer)
    if rng.random() < 0.12 * shares:
        y = top + height * rng.uniform(0.4, 0.7)
        line(layer, (right + gap, y), (right + gap + height * rng.uniform(0.3, 1.6), y), width)
    canvas.blend(layer, 0, 0, colour)
    font = sources.typeface(rng)
    size = height * rng.uniform(0.35, 1)
    if rng.random() < 0.25 * shares**0.5:
        text = word(rng, int(rng.integers(1, 5))) if rng.random() < 0.35 else unit(rng)
        write_text(canvas, text, right + gap, bottom - size, size, colour, font)
    if rng.random() < 0.2 * shares**0.5:
        text = word(rng, int(rng.integers(1, 4))) if rng.random() < 0.3 else mark(rng)
        write_text(
            canvas, text, left - size * (0.6 * len(text) + 0.4), bottom - size, size, colour, font
        )


def scribble(
    canvas: Canvas, box: tuple[float, float, float, float], colour: Colour, width: float
) -> None:
    """Draw a smooth random stroke inside (left, top, right, bottom)."""
    rng, (left, top, right, bottom) = canvas.rng, box
    count = int(rng.integers(4, 10))
    knots = rng.random((count, 2)) * (right - left, bottom - top) + (left, top)
    steps = np.linspace(0, count - 1, count * 8)
    curve = np.stack(
        [np.interp(steps, np.arange(count), knots[:, axis]) for axis in (0, 1)], axis=1
    )
    kernel = np.ones(7) / 7
    smooth = np.stack([np.convolve(curve[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)
    layer = canvas.layer()
    fixed = (smooth * 8).astype(np.int32)
    cv2.polylines(layer, [fixed], False, 255, max(1, round(width)), cv2.LINE_AA, 3)
    canvas.blend(layer, 0, 0, colour)
