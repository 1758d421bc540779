"""Tiles: square training pictures that are packed with one to sixteen scenes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.detector.camera import Pixels, photograph, warp
from training.detector.canvas import IGNORED, Alpha, Boxes, Canvas
from training.detector.recipe import SCENES
from training.detector.scenes import KINDS
from training.detector.sources import Sources

Places = NDArray[np.int16]
"""int16 [N, 4]: top, left, height and width in pixels."""


@dataclass(frozen=True)
class Tile:
    """A training picture."""

    pixels: Pixels
    """uint8 [S, S, 3], RGB; 0 outside the scenes."""
    foreground: Alpha
    """uint8 [S, S], coverage by digits."""
    boxes: Boxes
    places: Places
    """Where the scenes lie: each is normalized by itself, as a picture would be."""


def tile(rng: np.random.Generator, sources: Sources) -> Tile:
    """Draw a tile; the same generator state and sources give the same tile."""
    side = SCENES.tile
    pixels, foreground = np.zeros((side, side, 3), np.uint8), np.zeros((side, side), np.uint8)
    boxes: list[Boxes] = []
    places = _places(rng)
    for top, left, height, width in places:
        scene, mask, found = _scene(rng, sources, int(height), int(width))
        pixels[top : top + height, left : left + width] = scene
        foreground[top : top + height, left : left + width] = mask
        boxes.append(found + np.array([0, left, top, left, top], np.float32))
    return Tile(pixels, foreground, np.concatenate(boxes)[: SCENES.max_boxes], places)


def _places(rng: np.random.Generator) -> Places:
    """Divide a tile into rows and columns; some scenes leave a part of their place blank."""
    layouts = list(SCENES.layouts)
    weights = np.array(list(SCENES.layouts.values()))
    rows, columns = layouts[rng.choice(len(layouts), p=weights / weights.sum())]
    tall, wide = SCENES.tile // rows, SCENES.tile // columns
    places = []
    for row in range(rows):
        for column in range(columns):
            height, width = tall, wide
            if rng.random() >= SCENES.full_share:
                height = max(32, round(tall * (1 - rng.uniform(0, SCENES.trim))))
                width = max(32, round(wide * (1 - rng.uniform(0, SCENES.trim))))
                height, width = min(height, tall), min(width, wide)
            top = row * tall + int(rng.integers(tall - height + 1))
            left = column * wide + int(rng.integers(wide - width + 1))
            places.append((top, left, height, width))
    return np.array(places, np.int16)


def _scene(
    rng: np.random.Generator, sources: Sources, height: int, width: int
) -> tuple[Pixels, Alpha, Boxes]:
    """Draw a scene that fits a place and photograph it."""
    shares = SCENES.kinds_of_cells
    if width > SCENES.wide * height:
        shares = SCENES.kinds_of_lines
    elif min(height, width) >= SCENES.smallest_page:
        shares = SCENES.kinds_of_pages
    weights = np.array(list(shares.values()))
    kind = list(shares)[rng.choice(len(shares), p=weights / weights.sum())]
    canvas = KINDS[kind](rng, sources, height, width)
    warp(canvas)
    boxes = boxes_of(canvas)
    pixels, deviations = photograph(canvas, boxes)
    boxes[deviations < SCENES.faintest, 0] = IGNORED
    return pixels, canvas.foreground, boxes


def boxes_of(canvas: Canvas) -> Boxes:
    """Return the boxes of all shapes that are visible; cut and tiny digits are ignored."""
    boxes, size = [], np.array([canvas.width, canvas.height], np.float32)
    for shape, outline in canvas.shapes:
        low, high = outline.min(axis=0), outline.max(axis=0)
        left, top = np.clip(low, 0, size)
        right, bottom = np.clip(high, 0, size)
        seen = (right - left) * (bottom - top) / max(float(np.prod(high - low)), 1e-3)
        if right - left < 1 or bottom - top < 3 or seen < 0.5:
            continue
        cut = seen < SCENES.visible or bottom - top < SCENES.smallest_box
        boxes.append((IGNORED if cut else shape, left, top, right, bottom))
    return np.array(boxes, np.float32).reshape(-1, 5)
