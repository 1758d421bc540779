"""The families of handwriting: on a clean canvas, and in photographs of paper."""

import numpy as np

from benchmarks.robustness import scenes
from benchmarks.robustness.family import Family, Ink, Picture, Rng
from benchmarks.robustness.handwriting import any_digit, enlarged, tilted
from benchmarks.robustness.scenes import Range
from benchmarks.robustness.strokes import Tool, drawn
from training.data import Digits

DRAWN_SHARE = 0.25  # of the photographs: the rest shows the hand of MNIST's writers


def _enlarged(name: str, pen: Range | None) -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        image, label = any_digit(rng, digits)
        ink = tilted(enlarged(image, _size(rng, 60, 600), pen and rng.uniform(*pen)), rng)
        return Picture(scenes.clean(scenes.loose(ink, rng), rng), label)

    return Family("handwriting", name, draw)


def _drawn(name: str, heights: Range, pens: Range, smooth: bool, steps: Range) -> Family:
    def draw(rng: Rng, _digits: Digits) -> Picture:
        label = int(rng.integers(10))
        tool = Tool(rng.uniform(*pens), smooth, int(rng.uniform(*steps)))
        ink = drawn(rng, label, _size(rng, *heights), tool)
        return Picture(scenes.clean(scenes.loose(ink, rng, (0.2, 1.2)), rng), label)

    return Family("handwriting", name, draw)


def _size(rng: Rng, low: float, high: float) -> float:
    """A size from a range, small ones as often as large ones in ratio."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _writing(rng: Rng, digits: Digits, low: float = 40, high: float = 250) -> tuple[Ink, int]:
    """Somebody's digit, with any pen."""
    height = _size(rng, low, high)
    if rng.random() < DRAWN_SHARE:
        label = int(rng.integers(10))
        return drawn(rng, label, height, Tool(rng.uniform(0.03, 0.12), True, 12)), label
    image, label = any_digit(rng, digits)
    pen = None if rng.random() < 0.5 else rng.uniform(0.04, 0.12)
    return tilted(enlarged(image, height, pen), rng), label


def _sheet(ink: Ink, rng: Rng, depth: Range = (0.6, 0.92)) -> scenes.Light:
    return scenes.written(ink, scenes.paper(ink.shape, rng), rng.uniform(*depth))


def _on_paper(rng: Rng, digits: Digits) -> Picture:
    ink, label = _writing(rng, digits)
    ink = scenes.loose(ink, rng)
    sheet = scenes.paper(ink.shape, rng, rng.uniform(0.02, 0.05))
    sheet = scenes.written(ink, sheet, rng.uniform(0.6, 0.92))
    return Picture(scenes.taken(sheet, rng, rng.uniform(0.01, 0.04)), label)


def _uneven_light(rng: Rng, digits: Digits) -> Picture:
    ink, label = _writing(rng, digits)
    ink = scenes.loose(ink, rng)
    light = scenes.uneven(ink.shape, rng, rng.uniform(0.3, 0.7))
    light = light * scenes.vignette(ink.shape, rng.uniform(0.4, 0.9))
    return Picture(scenes.taken(_sheet(ink, rng) * light, rng), label)


def _shadow(name: str, edge: Range) -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        ink, label = _writing(rng, digits)
        ink = scenes.loose(ink, rng)
        light = scenes.shadow(ink.shape, rng, rng.uniform(0.25, 0.55), rng.uniform(*edge))
        return Picture(scenes.taken(_sheet(ink, rng) * light, rng), label)

    return Family("photograph", name, draw)


def _compressed(rng: Rng, digits: Digits) -> Picture:
    ink, label = _writing(rng, digits, 24, 160)
    sheet = _sheet(scenes.loose(ink, rng), rng)
    return Picture(scenes.jpeg(scenes.taken(sheet, rng, 0.02), int(rng.integers(20, 81))), label)


def _out_of_focus(rng: Rng, digits: Digits) -> Picture:
    ink, label = _writing(rng, digits)
    ink = scenes.loose(ink, rng)
    sheet = scenes.blurred(_sheet(ink, rng), ink.shape[0] * rng.uniform(0.005, 0.025))
    return Picture(scenes.taken(sheet, rng), label)


def _from_aside(rng: Rng, digits: Digits) -> Picture:
    ink, label = _writing(rng, digits)
    ink = scenes.loose(ink, rng, (0.5, 2))
    return Picture(scenes.taken(scenes.perspective(_sheet(ink, rng), rng), rng), label)


def _on_lines(name: str, squared: bool) -> Family:
    def draw(rng: Rng, digits: Digits) -> Picture:
        ink, label = _writing(rng, digits)
        # A digit is about as high as a line, or as one or two squares.
        pitch = max(ink.shape) * (rng.uniform(0.5, 1) if squared else rng.uniform(1, 1.6))
        ink = scenes.loose(ink, rng)
        lines = scenes.ruled(ink.shape, rng, pitch, squared)
        sheet = scenes.written(lines, scenes.paper(ink.shape, rng), rng.uniform(0.12, 0.35))
        sheet = scenes.written(ink, sheet, rng.uniform(0.65, 0.92))
        return Picture(scenes.taken(sheet, rng), label)

    return Family("photograph", name, draw)


def _form_cell(rng: Rng, digits: Digits) -> Picture:
    ink, label = _writing(rng, digits)
    ink, lines = scenes.cell(ink, rng)
    sheet = scenes.written(lines, scenes.paper(ink.shape, rng), rng.uniform(0.3, 0.9))
    return Picture(scenes.taken(scenes.written(ink, sheet, rng.uniform(0.65, 0.92)), rng), label)


def _neighbour(rng: Rng, digits: Digits) -> Picture:
    height = _size(rng, 40, 250)
    (ink, label), (other, _) = (_writing(rng, digits, height, height) for _ in range(2))
    return Picture(scenes.taken(_sheet(scenes.beside(ink, other, rng), rng), rng), label)


def _pale(rng: Rng, digits: Digits) -> Picture:
    """Pencils, and pens of a colour that is light in gray."""
    ink, label = _writing(rng, digits)
    ink = scenes.loose(ink, rng)
    sheet = scenes.paper(ink.shape, rng)
    grain = np.clip(0.85 + 0.3 * rng.standard_normal(ink.shape, np.float32), 0, 1)
    sheet = scenes.written(ink * grain, sheet, rng.uniform(0.22, 0.45))
    return Picture(scenes.taken(sheet, rng), label)


def _tiny(rng: Rng, digits: Digits) -> Picture:
    ink, label = _writing(rng, digits, 8, 20)
    return Picture(scenes.taken(_sheet(scenes.loose(ink, rng), rng), rng), label)


def _phone(rng: Rng, digits: Digits) -> Picture:
    """A little of everything, as pictures come from a phone."""
    ink, label = _writing(rng, digits, 60, 300)
    ink = scenes.loose(ink, rng)
    sheet = scenes.paper(ink.shape, rng)
    if rng.random() < 0.5:
        pitch = max(ink.shape) * rng.uniform(0.3, 0.6)
        lines = scenes.ruled(ink.shape, rng, pitch, bool(rng.random() < 0.5))
        sheet = scenes.written(lines, sheet, rng.uniform(0.1, 0.3))
    sheet = scenes.written(ink, sheet, rng.uniform(0.55, 0.9))
    sheet = sheet * scenes.uneven(ink.shape, rng, rng.uniform(0.55, 0.9))
    if rng.random() < 0.4:
        depth, edge = rng.uniform(0.15, 0.4), rng.uniform(0.01, 0.4)
        sheet = sheet * scenes.shadow(ink.shape, rng, depth, edge)
    sheet = scenes.perspective(sheet, rng, 0.04)
    sheet = scenes.blurred(sheet, rng.uniform(0.4, 1.5))
    return Picture(scenes.jpeg(scenes.taken(sheet, rng, 0.015), int(rng.integers(40, 91))), label)


def _huge(rng: Rng, digits: Digits) -> Picture:
    """As a camera stores it, up to 4,000 pixels, mostly paper."""
    ink, label = _writing(rng, digits, 400, 1200)
    ink = scenes.loose(ink, rng, (0.5, 2.2))[:4000, :4000]
    sheet = _sheet(ink, rng) * scenes.uneven(ink.shape, rng, rng.uniform(0.5, 0.9))
    return Picture(scenes.taken(sheet, rng, 0.015), label)


HANDWRITING = [
    _enlarged("as written", None),
    _enlarged("thin pen", (0.025, 0.06)),
    _enlarged("thick marker", (0.12, 0.17)),
    _drawn("drawn, any pen", (40, 400), (0.01, 0.15), True, (10, 14)),
    _drawn("paint program", (30, 300), (0.01, 0.08), False, (3, 8)),
    _drawn("finger", (120, 400), (0.08, 0.16), True, (6, 12)),
]

PHOTOGRAPHS = [
    Family("photograph", "rough paper", _on_paper),
    Family("photograph", "uneven light", _uneven_light),
    _shadow("hard shadow", (0.002, 0.02)),
    _shadow("soft shadow", (0.2, 0.6)),
    Family("photograph", "jpeg", _compressed),
    Family("photograph", "out of focus", _out_of_focus),
    Family("photograph", "perspective", _from_aside),
    _on_lines("ruled paper", squared=False),
    _on_lines("squared paper", squared=True),
    Family("photograph", "form cell", _form_cell),
    Family("photograph", "neighbour", _neighbour),
    Family("photograph", "pencil", _pale),
    Family("photograph", "tiny", _tiny),
    Family("photograph", "phone", _phone),
    Family("photograph", "huge", _huge, one_in=10),
]
