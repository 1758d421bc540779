"""Families of numbers of several digits, handwritten and printed, some with separators."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import NUMBER_GROUP, Family, Ink, Picture, Rng, number_picture
from benchmarks.robustness.handwriting import crop_to_ink, enlarge_digit, random_tilt
from benchmarks.robustness.printed import has_glyph, random_face, render_text
from benchmarks.robustness.scenes import Range, log_uniform
from benchmarks.robustness.strokes import Pen, draw_digit, draw_paths
from training.data import Digits

MIN_DIGITS, MAX_DIGITS = 2, 8
HEIGHTS_PX = (20.0, 120.0)
DRAWN_SHARE = 0.3  # fraction of drawn numbers; the digits of the others come from MNIST
STYLES = ("regular", "bold", "italic")

MakeText = Callable[[Rng], str]


def random_number(rng: Rng, most: int = MAX_DIGITS) -> str:
    """Return random digits."""
    return "".join(map(str, rng.integers(10, size=rng.integers(MIN_DIGITS, most + 1))))


def random_date(rng: Rng) -> str:
    """Return a date, the day or the year first."""
    separator = str(rng.choice(list("/.-")))
    day, month, year = (int(rng.integers(*part)) for part in ((1, 29), (1, 13), (1900, 2031)))
    parts = [f"{day:02}", f"{month:02}", str(year)]
    return separator.join(parts if rng.random() < 0.7 else parts[::-1])


def random_thousands(rng: Rng) -> str:
    """Return a number of 4 to 7 digits with a separator after the thousands."""
    number = f"{rng.integers(1_000, 9_999_999):,}"
    return number if rng.random() < 0.6 else number.replace(",", ".")


def write_digit(digit: int, rng: Rng, digits: Digits, height: float, pen: float) -> Ink:
    """Enlarge a random image of a digit, drawn with a pen of a width relative to the height."""
    indices = np.flatnonzero(digits.labels == digit)
    return enlarge_digit(digits.images[indices[rng.integers(len(indices))]], height, pen)


def write_by_hand(
    text: str, rng: Rng, digits: Digits, height: float, pen: float, gap: Range
) -> Ink:
    """Write digits and separators on one line; all sizes are relative to the height."""
    is_drawn = rng.random() < DRAWN_SHARE
    marks = []
    for letter in text:
        if not letter.isdecimal():
            marks.append(_separator(letter, height, pen))
        elif is_drawn:
            marks.append(draw_digit(rng, int(letter), height, Pen(pen, True, 12)))
        else:
            marks.append(write_digit(int(letter), rng, digits, height, pen))
    return place_on_line(marks, rng, height, gap)


def place_on_line(
    marks: Sequence[Ink], rng: Rng, height: float, gap: Range, drift: float = 0.08
) -> Ink:
    """Place marks side by side; each drifts up or down by at most a fraction of the height.

    Marks with a negative gap overlap.
    """
    rows = max(map(len, marks)) + 2 * round(drift * height)
    line = np.zeros((rows, sum(mark.shape[1] + round(height) for mark in marks)), np.float32)
    left = 0
    for mark in marks:
        free = rows - len(mark)
        top = min(max(round(free / 2 + height * rng.uniform(-drift, drift)), 0), free)
        part = line[top : top + len(mark), left : left + mark.shape[1]]
        np.maximum(part, mark, out=part)
        left = max(left + mark.shape[1] + round(height * rng.uniform(*gap)), 0)
    return crop_to_ink(line)


def _separator(letter: str, height: float, pen: float) -> Ink:
    """Draw a slash, a dash, a dot or a comma, in as many rows as the height."""
    paths = {
        "/": [(0.4, 0.0), (0.0, 1.0)],
        "-": [(0.0, 0.0), (0.3, 0.0)],
        ".": [(0.0, 0.0), (0.02, 0.02)],
        ",": [(0.06, 0.0), (0.0, 0.16)],
    }
    mark = draw_paths([np.array(paths[letter]) * height], max(pen, 0.05) * height)
    below = (round(height) - len(mark)) // (2 if letter == "-" else 1)
    if letter in ".,":
        return np.pad(mark, ((max(below, 0), 0), (0, 0)))
    return np.pad(mark, ((max(below, 0), max(below, 0)), (0, 0)))


def _handwritten_family(
    name: str,
    pen: Range = (0.05, 0.12),
    slant: float = 0.2,
    turn: float = 4,
    gap: Range = (0.05, 0.35),
    make_text: MakeText = random_number,
) -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        text = make_text(rng)
        height = log_uniform(rng, HEIGHTS_PX)
        ink = write_by_hand(text, rng, digits, height, rng.uniform(*pen), gap)
        ink = scenes.place_on_canvas(random_tilt(ink, rng, slant, turn), rng, (0.1, 0.6))
        return number_picture(scenes.render_clean_or_on_paper(ink, rng), text)

    return Family(NUMBER_GROUP, name, draw)


def _printed_family(name: str, make_text: MakeText) -> Family:
    def draw(rng: Rng, _digits: Digits) -> Picture:
        text, style = make_text(rng), str(rng.choice(STYLES))
        face = random_face(rng, style)
        while not all(has_glyph(face, letter) for letter in text):
            face = random_face(rng, style)
        ink = render_text(text, face, round(log_uniform(rng, HEIGHTS_PX)))
        ink = scenes.place_on_canvas(ink, rng, (0.1, 0.6))
        return number_picture(scenes.render_clean_or_on_paper(ink, rng), text)

    return Family(NUMBER_GROUP, name, draw)


NUMBERS = [
    _handwritten_family("handwritten"),
    _handwritten_family("thin pen", pen=(0.02, 0.04)),
    _handwritten_family("broad pen", pen=(0.13, 0.18)),
    _handwritten_family("touching digits", pen=(0.08, 0.16), gap=(-0.08, 0.1)),
    _handwritten_family("slanted", slant=0.6, turn=15),
    _handwritten_family("handwritten date", make_text=random_date),
    _handwritten_family("handwritten thousands", make_text=random_thousands),
    _printed_family("printed", random_number),
    _printed_family("printed date", random_date),
    _printed_family("printed thousands", random_thousands),
]
