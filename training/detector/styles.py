"""Hands, pens and typefaces: one object for the digits of one number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np

from training.data import Images
from training.detector.canvas import Alpha, line
from training.detector.glyphs import digit_height, glyph
from training.fonts import Face
from training.synthetic.ink import crop_to_ink
from training.synthetic.strokes import Path, smooth_curve

MNIST_SIDE = 20  # pixels: the longer side of each digit in MNIST
ENLARGEMENT = 3  # pixels of working ink for a pixel of MNIST
FAINT = 40  # ink below this is cropped away


class Style(Protocol):
    """Makes the digits of one number."""

    def make(self, digit: int, height: float, rng: np.random.Generator) -> Alpha:
        """Return the ink of a digit, cropped; `height` is that of a tall digit in pixels."""


@dataclass(frozen=True)
class Handwriting:
    """Digits of MNIST, written again with one pen."""

    digits: Sequence[Images]
    """The images of each digit."""
    slant: float
    """Shear to the right, as a fraction of the height."""
    width: float
    threshold: float
    """The coverage that becomes the edge: low values give bold digits."""
    sharpness: float
    pen: float | None
    """Stroke width as a fraction of the height, or None for the stroke of the writer."""
    crossed: bool
    """Sevens have a bar."""

    def make(self, digit: int, height: float, rng: np.random.Generator) -> Alpha:
        images = self.digits[digit]
        image = crop_to_ink(images[rng.integers(len(images))], FAINT)
        large = cv2.resize(
            image, None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC
        )
        large = cv2.GaussianBlur(np.pad(large, 8), (0, 0), ENLARGEMENT / 2)
        if digit == 7 and self.crossed:
            _cross(large, rng)
        if self.pen:
            large = _redraw(large, self.pen * MNIST_SIDE * ENLARGEMENT)
        else:
            edge = (large.astype(np.float32) - self.threshold) * self.sharpness + 128
            large = np.clip(edge, 0, 255).astype(np.uint8)
        scale = height / (MNIST_SIDE * ENLARGEMENT)
        return transform(large, scale, scale * self.width, self.slant)


@dataclass(frozen=True)
class Pen:
    """Digits along drawn paths: forms that the writers of MNIST did not use."""

    forms: Sequence[Sequence[Path]]
    """How this hand writes each digit."""
    slant: float
    width: float
    stroke: float
    """Stroke width as a fraction of the height."""
    jitter: float
    """Standard deviation of the points as a fraction of the height."""

    WORKING_HEIGHT = 64  # pixels

    def make(self, digit: int, height: float, rng: np.random.Generator) -> Alpha:
        return self.draw(self.forms[digit], 0.5 if digit == 1 else 0.65, height, rng)

    def draw(
        self, paths: Sequence[Path], aspect: float, height: float, rng: np.random.Generator
    ) -> Alpha:
        """Return the ink of paths, cropped; `aspect` is their usual width over their height."""
        points, places = np.unique(np.concatenate(paths), axis=0, return_inverse=True)
        points = points + rng.normal(0, self.jitter, points.shape)
        points[:, 0] *= self.width * aspect
        size = max(float(np.clip(height, 24, 160)), self.WORKING_HEIGHT)
        stroke = max(1.0, self.stroke * size)
        margin = int(2 * stroke) + 8
        placed = points * size + margin
        across, down = (int(v) + margin + 1 for v in placed.max(axis=0))
        ink = np.zeros((max(down, 1), max(across, 1)), np.uint8)
        ends = np.cumsum([len(path) for path in paths])[:-1]
        for path in np.split(placed[places.ravel()], ends):
            curve = (smooth_curve(path) * 16).round().astype(np.int32)
            cv2.polylines(ink, [curve], False, 255, max(1, round(stroke)), cv2.LINE_AA, 4)
        scale = height / size
        return transform(ink, scale, scale, self.slant)


@dataclass(frozen=True)
class Typeface:
    """Digits of one font."""

    face: Face
    slant: float
    width: float

    def make(self, digit: int, height: float, rng: np.random.Generator) -> Alpha:
        ink = self.character(str(digit), height)
        assert ink is not None, "training.fonts keeps only faces with ten digits"
        return ink

    def character(self, character: str, height: float) -> Alpha | None:
        """Return any character at the size at which digits have this height, or None."""
        ink = glyph(self.face, character)
        if ink is None:
            return None
        scale = height / digit_height(self.face)
        return transform(ink, scale, scale * self.width, self.slant)


def transform(ink: Alpha, scale: float, scale_x: float, slant: float) -> Alpha:
    """Scale and shear ink and crop it; it never becomes empty."""
    if scale < 0.6:
        size = (max(1, round(ink.shape[1] * scale_x)), max(1, round(len(ink) * scale)))
        ink = np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA), np.uint8)
        scale = scale_x = 1.0
    if slant or scale != 1.0:
        height, width = len(ink) * scale, ink.shape[1] * scale_x
        reach = abs(slant) * height
        matrix = np.array([[scale_x, -slant * scale, max(slant, 0) * height], [0, scale, 0]])
        size = (max(1, round(width + reach)), max(1, round(height)))
        ink = np.asarray(cv2.warpAffine(ink, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)
    return crop_to_ink(ink, min(FAINT, int(ink.max()) // 2))


def _cross(large: Alpha, rng: np.random.Generator) -> None:
    """Draw the bar of a European seven on working ink."""
    row = round(len(large) * rng.uniform(0.42, 0.62))
    columns = np.flatnonzero(large[row] > 90)
    if len(columns):
        middle, half, rise = columns.mean(), rng.uniform(8, 18), rng.uniform(-4, 7)
        start, end = (middle - half, row + rise), (middle + half, row - rise)
        line(large, start, end, rng.uniform(3, 7))


def _redraw(large: Alpha, pen: float) -> Alpha:
    """Return the middle line of working ink, drawn with a pen of so many pixels."""
    distance = cv2.distanceTransform((large > 110).astype(np.uint8), cv2.DIST_L2, 5)
    # Side branches lead from the middle of the stroke to bumps at its edge.
    middle = distance > 0.6 * cv2.dilate(distance, _disc(4 * ENLARGEMENT + 1))
    ridge = (distance - cv2.blur(distance, (3, 3)) > 0.15) & (distance > 1) & middle
    stroke = cv2.morphologyEx(ridge.astype(np.uint8) * 255, cv2.MORPH_CLOSE, _disc(5))
    if pen > 2:
        stroke = cv2.dilate(stroke, _disc(round(pen)))
    return np.asarray(cv2.GaussianBlur(stroke, (0, 0), 0.8), np.uint8)


def _disc(size: int) -> Alpha:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
