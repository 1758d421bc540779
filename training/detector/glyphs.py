"""Characters of the installed fonts as ink."""

from collections import defaultdict
from functools import cache, lru_cache

import numpy as np
from PIL import ImageFont

from training.detector.backgrounds import Split
from training.detector.canvas import Alpha
from training.fonts import NOTDEF, Face, installed_faces
from training.synthetic.ink import crop_to_ink

RENDERED_SIZE = 96  # pixels an em: digits are about 68 high
CACHED_GLYPHS = 30_000  # 5 KB each
SPECIAL = ("DSEG", "Circ", "Px", "Proggy")
"""Families that look like no printed digits: displays, rings, and pixel fonts."""
HANDWRITTEN = (
    *("Dkg", "DkgHandwriting", "Rufscript", "Kristi", "Humor", "Ecolier", "Comic Neue", "Purisa"),
    *("Yusei", "Klee", "Seto", "Summersby", "Isabella", "Nanum Pen", "Nanum Brush", "Lemonada"),
    *("Chilanka", "Abecedario", "Dustin", "domestic", "Pecita", "Tlwg"),
)
"""The beginnings of families that imitate handwriting."""


@cache
def families(split: Split) -> list[list[Face]]:
    """Return the faces of a split by family; validation uses those of the benchmark.

    Raises:
        OSError: there are no fonts.
    """
    found: dict[str, list[Face]] = defaultdict(list)
    for face in installed_faces("training" if split == "training" else "benchmark"):
        if not face.family.startswith(SPECIAL):
            found[face.family].append(face)
    return list(found.values())


@cache
def handwriting_families(split: Split) -> list[list[Face]]:
    """Return the families that imitate handwriting; all of them if there are none."""
    found = [f for f in families(split) if f[0].family.startswith(HANDWRITTEN)]
    return found or families(split)


@lru_cache(CACHED_GLYPHS)
def glyph(face: Face, character: str) -> Alpha | None:
    """Return the ink of a character, or None where a font lacks it; no font here lacks a digit."""
    mask, missing = map(_font(face).getmask, (character, NOTDEF))
    if (mask.size, bytes(mask)) == (missing.size, bytes(missing)):
        return None
    ink = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
    return crop_to_ink(ink, 60) if ink.any() else None


@cache
def digit_height(face: Face) -> int:
    """Return the height of the tallest digit: old-style figures differ in height."""
    return max(len(ink) for d in range(10) if (ink := glyph(face, str(d))) is not None)


@cache
def _font(face: Face) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        face.path, RENDERED_SIZE, face.index, layout_engine=ImageFont.Layout.BASIC
    )
