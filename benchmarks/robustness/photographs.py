"""Families of handwriting on a clean canvas and in photographs of paper."""

import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import Family, Ink, Picture, Rng
from benchmarks.robustness.handwriting import enlarge_digit, random_digit, random_tilt
from benchmarks.robustness.scenes import Range, log_uniform
from benchmarks.robustness.strokes import Pen, draw_digit
from training.data import Digits

HEIGHTS_PX = (40.0, 250.0)
MAX_SIDE_PX = 4000
DRAWN_SHARE = 0.25  # fraction of drawn digits in photographs; the others come from MNIST


def _mnist_family(name: str, pen: Range | None) -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        image, label = random_digit(rng, digits)
        height = log_uniform(rng, (60, 600))
        ink = random_tilt(enlarge_digit(image, height, pen and rng.uniform(*pen)), rng)
        return Picture(scenes.render_clean(scenes.place_on_canvas(ink, rng), rng), label)

    return Family("handwriting", name, draw)


def _drawn_family(
    name: str, heights: Range, widths: Range, antialiased: bool, points: Range
) -> Family:
    def draw(rng: Rng, _digits: Digits) -> Picture:
        label = int(rng.integers(10))
        pen = Pen(rng.uniform(*widths), antialiased, int(rng.uniform(*points)))
        ink = draw_digit(rng, label, log_uniform(rng, heights), pen)
        ink = scenes.place_on_canvas(ink, rng, (0.2, 1.2))
        return Picture(scenes.render_clean(ink, rng), label)

    return Family("handwriting", name, draw)


def random_handwriting(rng: Rng, digits: Digits, heights: Range = HEIGHTS_PX) -> tuple[Ink, int]:
    """Return ink and label of a drawn digit, or of one of MNIST with a random pen."""
    height = log_uniform(rng, heights)
    if rng.random() < DRAWN_SHARE:
        label = int(rng.integers(10))
        return draw_digit(rng, label, height, Pen(rng.uniform(0.03, 0.12), True, 12)), label
    image, label = random_digit(rng, digits)
    pen = None if rng.random() < 0.5 else rng.uniform(0.04, 0.12)
    return random_tilt(enlarge_digit(image, height, pen), rng), label


def placed_handwriting(
    rng: Rng, digits: Digits, heights: Range = HEIGHTS_PX, space: Range = (0.3, 2)
) -> tuple[Ink, int]:
    """Return the same at a random place of a larger canvas."""
    ink, label = random_handwriting(rng, digits, heights)
    return scenes.place_on_canvas(ink, rng, space), label


def _rough_paper(rng: Rng, digits: Digits) -> Picture:
    ink, label = placed_handwriting(rng, digits)
    sheet = scenes.paper_texture(ink.shape, rng, rng.uniform(0.02, 0.05))
    sheet = scenes.apply_ink(ink, sheet, rng.uniform(0.6, 0.92))
    return Picture(scenes.photograph(sheet, rng, rng.uniform(0.01, 0.04)), label)


def _uneven_light(rng: Rng, digits: Digits) -> Picture:
    ink, label = placed_handwriting(rng, digits)
    light = scenes.light_gradient(ink.shape, rng, rng.uniform(0.3, 0.7))
    light = light * scenes.vignette(ink.shape, rng.uniform(0.4, 0.9))
    return Picture(scenes.photograph(scenes.write_on_paper(ink, rng) * light, rng), label)


def _shadow_family(name: str, edge: Range) -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        ink, label = placed_handwriting(rng, digits)
        light = scenes.cast_shadow(ink.shape, rng, rng.uniform(0.25, 0.55), rng.uniform(*edge))
        return Picture(scenes.photograph(scenes.write_on_paper(ink, rng) * light, rng), label)

    return Family("photograph", name, draw)


def _jpeg(rng: Rng, digits: Digits) -> Picture:
    ink, label = placed_handwriting(rng, digits, (24, 160))
    pixels = scenes.photograph(scenes.write_on_paper(ink, rng), rng, 0.02)
    return Picture(scenes.jpeg_round_trip(pixels, int(rng.integers(20, 81))), label)


def _out_of_focus(rng: Rng, digits: Digits) -> Picture:
    ink, label = placed_handwriting(rng, digits)
    sheet = scenes.write_on_paper(ink, rng)
    sheet = scenes.gaussian_blur(sheet, ink.shape[0] * rng.uniform(0.005, 0.025))
    return Picture(scenes.photograph(sheet, rng), label)


def _perspective(rng: Rng, digits: Digits) -> Picture:
    ink, label = placed_handwriting(rng, digits, space=(0.5, 2))
    sheet = scenes.random_perspective(scenes.write_on_paper(ink, rng), rng)
    return Picture(scenes.photograph(sheet, rng), label)


def _ruled_paper_family(name: str, squared: bool) -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        ink, label = random_handwriting(rng, digits)
        # A digit is about as tall as the distance of two lines, or as one or two squares.
        pitch = max(ink.shape) * (rng.uniform(0.5, 1) if squared else rng.uniform(1, 1.6))
        ink = scenes.place_on_canvas(ink, rng)
        lines = scenes.ruled_lines(ink.shape, rng, pitch, squared)
        sheet = scenes.write_on_paper(lines, rng, (0.12, 0.35))
        sheet = scenes.apply_ink(ink, sheet, rng.uniform(0.65, 0.92))
        return Picture(scenes.photograph(sheet, rng), label)

    return Family("photograph", name, draw)


def _form_cell(rng: Rng, digits: Digits) -> Picture:
    ink, label = random_handwriting(rng, digits)
    ink, lines = scenes.form_cell(ink, rng)
    sheet = scenes.write_on_paper(lines, rng, (0.3, 0.9))
    sheet = scenes.apply_ink(ink, sheet, rng.uniform(0.65, 0.92))
    return Picture(scenes.photograph(sheet, rng), label)


def _neighbour(rng: Rng, digits: Digits) -> Picture:
    height = log_uniform(rng, HEIGHTS_PX)
    ink, label = random_handwriting(rng, digits, (height, height))
    other, _ = random_handwriting(rng, digits, (height, height))
    sheet = scenes.write_on_paper(scenes.add_neighbour(ink, other, rng), rng)
    return Picture(scenes.photograph(sheet, rng), label)


def _pencil(rng: Rng, digits: Digits) -> Picture:
    """Draw a pencil, or a pen whose colour is light in gray."""
    ink, label = placed_handwriting(rng, digits)
    sheet = scenes.paper_texture(ink.shape, rng)
    grain = np.clip(0.85 + 0.3 * rng.standard_normal(ink.shape, np.float32), 0, 1)
    sheet = scenes.apply_ink(ink * grain, sheet, rng.uniform(0.22, 0.45))
    return Picture(scenes.photograph(sheet, rng), label)


def _tiny(rng: Rng, digits: Digits) -> Picture:
    ink, label = placed_handwriting(rng, digits, (8, 20))
    return Picture(scenes.photograph(scenes.write_on_paper(ink, rng), rng), label)


def _phone(rng: Rng, digits: Digits) -> Picture:
    """Combine lines, uneven light, shadow, perspective, blur and JPEG, as phones do."""
    ink, label = placed_handwriting(rng, digits, (60, 300))
    sheet = scenes.paper_texture(ink.shape, rng)
    if rng.random() < 0.5:
        pitch = max(ink.shape) * rng.uniform(0.3, 0.6)
        lines = scenes.ruled_lines(ink.shape, rng, pitch, bool(rng.random() < 0.5))
        sheet = scenes.apply_ink(lines, sheet, rng.uniform(0.1, 0.3))
    sheet = scenes.apply_ink(ink, sheet, rng.uniform(0.55, 0.9))
    sheet = sheet * scenes.light_gradient(ink.shape, rng, rng.uniform(0.55, 0.9))
    if rng.random() < 0.4:
        depth, edge = rng.uniform(0.15, 0.4), rng.uniform(0.01, 0.4)
        sheet = sheet * scenes.cast_shadow(ink.shape, rng, depth, edge)
    sheet = scenes.random_perspective(sheet, rng, 0.04)
    sheet = scenes.gaussian_blur(sheet, rng.uniform(0.4, 1.5))
    pixels = scenes.photograph(sheet, rng, 0.015)
    return Picture(scenes.jpeg_round_trip(pixels, int(rng.integers(40, 91))), label)


def _huge(rng: Rng, digits: Digits) -> Picture:
    """Draw a picture at camera resolution, up to 4,000 pixels, that is mostly paper."""
    ink, label = placed_handwriting(rng, digits, (400, 1200), (0.5, 2.2))
    ink = ink[:MAX_SIDE_PX, :MAX_SIDE_PX]
    sheet = scenes.write_on_paper(ink, rng)
    sheet = sheet * scenes.light_gradient(ink.shape, rng, rng.uniform(0.5, 0.9))
    return Picture(scenes.photograph(sheet, rng, 0.015), label)


HANDWRITING = [
    _mnist_family("as written", None),
    _mnist_family("thin pen", (0.025, 0.06)),
    _mnist_family("thick marker", (0.12, 0.17)),
    _drawn_family("drawn, any pen", (40, 400), (0.01, 0.15), True, (10, 14)),
    _drawn_family("paint program", (30, 300), (0.01, 0.08), False, (3, 8)),
    _drawn_family("finger", (120, 400), (0.08, 0.16), True, (6, 12)),
]

PHOTOGRAPHS = [
    Family("photograph", "rough paper", _rough_paper),
    Family("photograph", "uneven light", _uneven_light),
    _shadow_family("hard shadow", (0.002, 0.02)),
    _shadow_family("soft shadow", (0.2, 0.6)),
    Family("photograph", "jpeg", _jpeg),
    Family("photograph", "out of focus", _out_of_focus),
    Family("photograph", "perspective", _perspective),
    _ruled_paper_family("ruled paper", squared=False),
    _ruled_paper_family("squared paper", squared=True),
    Family("photograph", "form cell", _form_cell),
    Family("photograph", "neighbour", _neighbour),
    Family("photograph", "pencil", _pencil),
    Family("photograph", "tiny", _tiny),
    Family("photograph", "phone", _phone),
    Family("photograph", "huge", _huge, count_divisor=10),
]
