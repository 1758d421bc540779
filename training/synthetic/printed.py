"""Printed characters in the fonts of the training split."""

from collections import defaultdict
from functools import cache, lru_cache

import cv2
import numpy as np
from PIL import ImageFont

from training.fonts import NOTDEF, Face, installed_faces
from training.recipes.synthetic import SYNTHETIC
from training.synthetic.ink import Gray, crop_to_ink, disk, log_uniform, transform_ink

RECIPE = SYNTHETIC.printed

INK_THRESHOLD = 127
"""Ink above this level is in the middle of a stroke, not at its antialiased edge."""


def draw_printed(character: str, rng: np.random.Generator) -> Gray:
    """Return the ink of a character in a random font, size and slant.

    The family is drawn first, so that families with many faces are not seen more often.
    """
    ink = None
    while ink is None:
        family = _families()[rng.integers(len(_families()))]
        ink = _glyph(family[rng.integers(len(family))], character)
    if rng.random() < RECIPE.weight_prob:
        ink = _change_weight(ink, int(rng.integers(*RECIPE.weight)))
    height = log_uniform(RECIPE.height, rng)
    upright = rng.random() < RECIPE.upright_prob
    slant = 0.0 if upright else rng.uniform(*RECIPE.slant)
    width_factor = 1.0 if upright else rng.uniform(*RECIPE.width_factor)
    ink = transform_ink(ink, height, rng.normal(0, RECIPE.rotation_sd), slant, width_factor)
    if height > RECIPE.aliased_min_height and rng.random() < RECIPE.aliased_prob:
        ink = np.asarray(cv2.threshold(ink, INK_THRESHOLD, 255, cv2.THRESH_BINARY)[1], np.uint8)
    return ink


def _change_weight(ink: Gray, change: int) -> Gray:
    """Make strokes wider by a number of pixels, or thinner, unless gaps close or strokes break."""
    padded = np.pad(ink, abs(change) + 1)
    resize_strokes = cv2.dilate if change > 0 else cv2.erode
    changed = np.asarray(resize_strokes(padded, disk(abs(change) + 1)), np.uint8)
    return crop_to_ink(changed) if _topology(changed) == _topology(padded) else ink


def _topology(ink: Gray) -> tuple[int, int]:
    """Count the connected components of ink and of paper."""
    mask = (ink > INK_THRESHOLD).astype(np.uint8)
    ink_count, paper_count = (cv2.connectedComponents(part)[0] for part in (mask, 1 - mask))
    return ink_count, paper_count


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
