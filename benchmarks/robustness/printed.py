"""Families of printed digits, in fonts that are kept out of training."""

from functools import cache

import numpy as np
from PIL import ImageFont

from benchmarks.robustness.family import Family, Ink, Picture, Rng, as_ink
from benchmarks.robustness.handwriting import crop_to_ink
from benchmarks.robustness.scenes import Range, log_uniform, place_on_canvas, render_clean
from training.data import Digits
from training.fonts import NOTDEF, Face, installed_faces


@cache
def _font_families(style: str) -> list[list[Face]]:
    """Return the faces of one style (regular, bold or italic), grouped by font family."""
    wanted = {"bold": ("bold", "black", "heavy"), "italic": ("italic", "oblique", "slanted")}
    found: dict[str, list[Face]] = {}
    for face in installed_faces("benchmark"):
        name = face.style.lower()
        kinds = [kind for kind, words in wanted.items() if any(word in name for word in words)]
        if style in kinds or (style == "regular" and not kinds):
            found.setdefault(face.family, []).append(face)
    return list(found.values())


def render_text(text: str, face: Face, size: int) -> Ink:
    """Render a text at `size` pixels per em, cropped to its ink."""
    mask = _font(face, size).getmask(text)
    pixels = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
    return crop_to_ink(as_ink(pixels))


@cache
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(face.path, size, face.index, layout_engine=basic)


def random_face(rng: Rng, style: str = "regular") -> Face:
    """Return a face of a random font family; the number of its faces has no influence."""
    families = _font_families(style)
    family = families[rng.integers(len(families))]
    return family[rng.integers(len(family))]


def has_glyph(face: Face, letter: str) -> bool:
    """Whether a face has a glyph for a letter; all faces have digits."""
    font = _font(face, 40)
    mask = bytes(font.getmask(letter))
    return any(mask) and mask != bytes(font.getmask(NOTDEF))


def _printed_family(name: str, style: str, sizes: Range, space: Range) -> Family:
    def draw(rng: Rng, _digits: Digits) -> Picture:
        label = int(rng.integers(10))
        size = round(log_uniform(rng, sizes))
        ink = render_text(str(label), random_face(rng, style), size)
        return Picture(render_clean(place_on_canvas(ink, rng, space), rng), label)

    return Family("printed", name, draw)


PRINTED = [
    _printed_family("regular", "regular", (16, 200), (0.2, 1)),
    _printed_family("bold", "bold", (16, 200), (0.2, 1)),
    _printed_family("italic", "italic", (16, 200), (0.2, 1)),
    _printed_family("small", "regular", (8, 16), (0.2, 1)),
    _printed_family("large", "regular", (200, 400), (0.2, 1)),
    _printed_family("far off", "regular", (12, 60), (3, 8)),
    _printed_family("tight crop", "regular", (16, 200), (0.03, 0.12)),
    _printed_family("full bleed", "regular", (16, 200), (0, 0)),
]
