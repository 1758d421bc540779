"""Families of screenshots: plotted images of MNIST, and a canvas inside a light page."""

import cv2
import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import Family, Ink, Picture, Pixels, Rng, as_pixels
from benchmarks.robustness.handwriting import random_digit
from benchmarks.robustness.non_digits import LETTERS
from benchmarks.robustness.printed import has_glyph, random_face, render_text
from benchmarks.robustness.strokes import Pen, draw_digit
from training.data import Digits

# Red, green and blue of Matplotlib's colour map at ten equal steps.
VIRIDIS = np.array([
    (68, 1, 84), (72, 40, 120), (62, 73, 137), (49, 104, 142), (38, 130, 142),
    (31, 158, 137), (53, 183, 121), (110, 206, 88), (181, 222, 43), (253, 231, 37),
], np.uint8)  # fmt: skip
GRAY = np.array([(0, 0, 0), (255, 255, 255)], np.uint8)
TICK_PX, TICK_STEP = 4, 5


def _figure_family(name: str, colours: Pixels) -> Family:
    """Return figures with axes, in which an image of MNIST is shown in a colour map."""

    def draw(rng: Rng, digits: Digits) -> Picture:
        image, label = random_digit(rng, digits)
        scale = int(rng.integers(5, 14))
        large = np.kron(image, np.ones((scale, scale), np.uint8))
        steps = np.linspace(0, 255, len(colours))
        shown = [np.interp(large, steps, channel) for channel in colours.T]
        return Picture(_with_axes(np.stack(shown, axis=2).round().astype(np.uint8), rng), label)

    return Family("scene", name, draw)


def _with_axes(image: Pixels, rng: Rng) -> Pixels:
    """Draw axes with small numbers around an image, and perhaps a title above it."""
    side, border = len(image), int(rng.integers(30, 60))
    page = np.full((side + 2 * border, side + 2 * border, 3), 255, np.uint8)
    page[border : border + side, border : border + side] = image
    last = border + side
    cv2.rectangle(page, (border - 1, border - 1), (last, last), (0, 0, 0), 1)
    for value in range(0, 28, TICK_STEP):
        at = border + round((value + 0.5) * side / 28)
        cv2.line(page, (at, last), (at, last + TICK_PX), (0, 0, 0), 1)
        cv2.line(page, (border - 1 - TICK_PX, at), (border - 1, at), (0, 0, 0), 1)
        for place in ((at - 6, last + 18), (border - 26, at + 4)):
            cv2.putText(page, str(value), place, cv2.FONT_HERSHEY_SIMPLEX, 0.35, (0, 0, 0))
    if rng.random() < 0.5:
        title = _word(rng, 14)[: border - 6, :side]
        left = border + (side - title.shape[1]) // 2
        part = page[4 : 4 + title.shape[0], left : left + title.shape[1]]
        part[...] = np.minimum(part, as_pixels(1 - title)[..., None])
    return page


def _word(rng: Rng, size: int) -> Ink:
    """Print a random word of letters that do not look like digits."""
    word = "".join(rng.choice(list(LETTERS), int(rng.integers(4, 9))))
    face = random_face(rng)
    while not all(has_glyph(face, letter) for letter in word):
        face = random_face(rng)
    return render_text(word, face, size)


def _canvas(rng: Rng, _digits: Digits) -> Picture:
    """Draw a digit on a black canvas inside a light page with a heading and a button."""
    label, side = int(rng.integers(10)), int(rng.integers(140, 400))
    pen = Pen(rng.uniform(0.05, 0.14), True, 10)
    ink = draw_digit(rng, label, side * rng.uniform(0.4, 0.7), pen)
    ink = ink[:side, :side]
    top, left = (int(rng.integers(0, side - length + 1)) for length in ink.shape)
    canvas = np.zeros((side, side), np.float32)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    above, beside, below = (round(side * rng.uniform(*part)) for part in
                            ((0.15, 0.4), (0.05, 0.5), (0.2, 0.5)))  # fmt: skip
    edges = ((above, below), (beside, beside))
    page = np.pad(canvas, edges, constant_values=rng.uniform(0.85, 1))
    for start, space in ((0, above), (above + side, below)):
        word = _word(rng, max(10, space // 3))[: space - 4, :side]
        at = start + (space - word.shape[0]) // 2
        part = page[at : at + word.shape[0], beside : beside + word.shape[1]]
        part[...] = np.minimum(part, 1 - 0.9 * word)
        if start:  # the button
            corners = (beside - 4, at - 4), (beside + word.shape[1] + 4, at + word.shape[0] + 4)
            cv2.rectangle(page, *corners, 0.5, 1)
    tone = scenes.tint(page, (0, 0, 0), tuple(rng.uniform(0.9, 1, 3).tolist()))
    return Picture(as_pixels(tone), label)


PANELS = [
    _figure_family("viridis figure", VIRIDIS),
    _figure_family("gray figure", GRAY),
    Family("scene", "canvas in a page", _canvas),
]
