"""Printed characters in the fonts of the training split."""

from collections import defaultdict
from functools import cache, lru_cache

import cv2
import numpy as np
from PIL import ImageFont

from training.fonts import NOTDEF, Face, installed_faces
from training.recipes.synthetic import SYNTHETIC
from training.synthetic.ink import Gray, crop_to_ink, log_uniform, transform_ink

RECIPE = SYNTHETIC.printed


def draw_printed(character: str, rng: np.random.Generator) -> Gray:
    """Return the ink of a character in a random font, size and slant.

    The family is drawn first, so that families with many faces are not seen more often.
    """
    ink = None
    while ink is None:
        family = _families()[rng.integers(len(_families()))]
        ink = _glyph(family[rng.integers(len(family))], character)
    height = log_uniform(RECIPE.height, rng)
    upright = rng.random() < RECIPE.upright_prob
    slant = 0.0 if upright else rng.uniform(*RECIPE.slant)
    width_factor = 1.0 if upright else rng.uniform(*RECIPE.width_factor)
    ink = transform_ink(ink, height, rng.normal(0, RECIPE.rotation_sd), slant, width_factor)
    if height > RECIPE.aliased_min_height and rng.random() < RECIPE.aliased_prob:
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
    """Return the ink of a character, or None if the font does not have it; all have the digits."""
    mask, notdef = map(_font(face).getmask, (character, NOTDEF))
    if (mask.size, bytes(mask)) == (notdef.size, bytes(notdef)):
        return None
    ink = np.frombuffer(bytes(mask), np.uint8).reshape(mask.size[::-1])
    return crop_to_ink(ink) if ink.any() else None


@cache
def _font(face: Face) -> ImageFont.FreeTypeFont:
    basic = ImageFont.Layout.BASIC
    return ImageFont.truetype(face.path, RECIPE.font_size, face.index, layout_engine=basic)
