"""Printed digits, in fonts that no training saw."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.robustness.family import Family, Ink, Picture, Rng, as_ink
from benchmarks.robustness.handwriting import cropped
from benchmarks.robustness.scenes import Range, clean, loose
from training.data import Digits
from training.fonts import Face, faces


@cache
def _families(style: str) -> list[list[Face]]:
    """The faces of one style, regular, bold or italic, by family."""
    wanted = {"bold": ("bold", "black", "heavy"), "italic": ("italic", "oblique", "slanted")}
    found: dict[str, list[Face]] = {}
    for face in faces("bench"):
        name = face.style.lower()
        kinds = [kind for kind, words in wanted.items() if any(word in name for word in words)]
        if style in kinds or (style == "regular" and not kinds):
            found.setdefault(face.family, []).append(face)
    return list(found.values())


def glyphs(text: str, face: Face, size: int) -> Ink:
    """Set a text in a face, `size` pixels an em; cropped to its ink."""
    font = _font(face, size)
    left, top, right, bottom = font.getbbox(text)
    # Slanted faces reach out of their box.
    canvas = Image.new("L", (int(right - left) + 2 * size, int(bottom - top) + 2 * size))
    ImageDraw.Draw(canvas).text((size - left, size - top), text, 255, font)
    return cropped(as_ink(np.asarray(canvas)))


@cache
def _font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(face.path, size, face.index, layout_engine=basic)


def any_face(rng: Rng, style: str = "regular") -> Face:
    """Draw a family first: one with many faces is no more frequent than others."""
    families = _families(style)
    family = families[rng.integers(len(families))]
    return family[rng.integers(len(family))]


def shows(face: Face, letter: str) -> bool:
    """Whether a face, all of which have digits, has a letter, too."""
    font = _font(face, 40)
    missing = "\uffff"  # no character: what is shown in the place of one that a font lacks
    mask = bytes(font.getmask(letter))
    return any(mask) and mask != bytes(font.getmask(missing))


def _printed(name: str, style: str, sizes: Range, space: Range) -> Family:
    def draw(rng: Rng, _digits: Digits) -> Picture:
        label = int(rng.integers(10))
        size = round(float(np.exp(rng.uniform(*np.log(sizes)))))
        ink = glyphs(str(label), any_face(rng, style), size)
        return Picture(clean(loose(ink, rng, space), rng), label)

    return Family("printed", name, draw)


PRINTED = [
    _printed("regular", "regular", (16, 200), (0.2, 1)),
    _printed("bold", "bold", (16, 200), (0.2, 1)),
    _printed("italic", "italic", (16, 200), (0.2, 1)),
    _printed("small", "regular", (8, 16), (0.2, 1)),
    _printed("large", "regular", (200, 400), (0.2, 1)),
    _printed("far off", "regular", (12, 60), (3, 8)),
    _printed("tight crop", "regular", (16, 200), (0.03, 0.12)),
    _printed("full bleed", "regular", (16, 200), (0, 0)),
]
