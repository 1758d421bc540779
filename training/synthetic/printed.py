"""Printed characters, in every font of the training part."""

from collections import defaultdict
from functools import cache, lru_cache

import cv2
import numpy as np
from PIL import ImageFont

from training.fonts import NOTDEF, Face, installed_faces
from training.synthetic.ink import Gray, crop_to_ink, transform_ink

RENDERED_SIZE = 72  # pixels an em: about 50 a digit, more than twice what a model sees
HEIGHTS = (6.0, 100.0)
SLANT, ROTATION = 20.0, 12.0  # degrees, to both sides
ALIASED_SHARE = 0.1  # as on old screens and printers


def draw_printed(character: str, rng: np.random.Generator) -> Gray:
    """Return the ink of a character in a random font, size and slant.

    A family is drawn first and a face of it then, so that large families are not seen more often.
    """
    ink = None
    while ink is None:
        family = _families()[rng.integers(len(_families()))]
        ink = _glyph(family[rng.integers(len(family))], character)
    # Small sizes are as frequent as large ones: what is 8 high differs from what is 16 high.
    height = np.exp(rng.uniform(*np.log(HEIGHTS)))
    plain = rng.random() < 0.5
    slant = 0.0 if plain else rng.uniform(-SLANT, SLANT)
    width = 1.0 if plain else rng.uniform(0.75, 1.3)
    ink = transform_ink(ink, height, rng.normal(0, ROTATION / 3), slant, width)
    if height > 16 and rng.random() < ALIASED_SHARE:
        ink = np.asarray(cv2.threshold(ink, 127, 255, cv2.THRESH_BINARY)[1], np.uint8)
    return ink


@cache
def _families() -> list[list[Face]]:
    families: dict[str, list[Face]] = defaultdict(list)
    for face in installed_faces("training"):
        families[face.family].append(face)
    return list(families.values())


@lru_cache(40_000)
def _glyph(face: Face, character: str) -> Gray | None:
    """Return the ink of a character, or None where a font lacks it; no font here lacks a digit."""
    mask, missing = map(_font(face).getmask, (character, NOTDEF))
    if (mask.size, bytes(mask)) == (missing.size, bytes(missing)):
        return None
    ink = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
    return crop_to_ink(ink) if ink.any() else None


@cache
def _font(face: Face) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(
        face.path, RENDERED_SIZE, face.index, layout_engine=ImageFont.Layout.BASIC
    )
