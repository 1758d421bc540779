"""The picture that a scene is drawn on, with the mask and the outlines of its digits."""

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.float32]
"""float32 [H, W, 3], RGB, 0 to 255."""

Alpha = NDArray[np.uint8]
"""uint8 [H, W], coverage by ink, 0 none to 255 full."""

Colour = NDArray[np.float64]
"""float64 [3], RGB, 0 to 255."""

Outline = NDArray[np.float32]
"""float32 [N, 2], points (x, y) around a shape, in pixels."""

Boxes = NDArray[np.float32]
"""float32 [N, 5]: class or -1 for ignored, left, top, right, bottom in pixels."""

IGNORED = -1
"""The class of a box that is neither a digit nor background for the loss."""

WHOLE = 0.82  # of the ink inside the picture: below this it is ignored
HALF = 0.5  # below this it is background
OUTLINE_DIRECTIONS = 12
SOLID = 100  # coverage from which ink counts for the outline


@dataclass
class Canvas:
    """A picture in the making."""

    picture: Picture
    rng: np.random.Generator
    foreground: Alpha = field(init=False)
    shapes: list[tuple[int, Outline]] = field(default_factory=list)
    """Digit or `IGNORED`, and its outline."""

    def __post_init__(self) -> None:
        self.foreground = np.zeros(self.picture.shape[:2], np.uint8)

    @property
    def height(self) -> int:
        return int(self.picture.shape[0])

    @property
    def width(self) -> int:
        return int(self.picture.shape[1])

    def blend(self, ink: Alpha, x: float, y: float, colour: Colour, opacity: float = 1.0) -> None:
        """Draw ink in one colour with its top left corner at (x, y); it may reach outside."""
        part, rows, columns = self._clip(ink, x, y)
        if part.size:
            alpha = (part.astype(np.float32) * np.float32(opacity / 255))[..., None]
            area = self.picture[rows, columns]
            area += (colour.astype(np.float32) - area) * alpha

    def digit(
        self, ink: Alpha, x: float, y: float, digit: int, colour: Colour, opacity: float = 1.0
    ) -> None:
        """Draw a digit and record its outline; what is cut off by the border may be ignored."""
        part, rows, columns = self._clip(ink, x, y)
        self.blend(ink, x, y, colour, opacity)
        if not part.size:
            return
        self.foreground[rows, columns] = np.maximum(self.foreground[rows, columns], part)
        visible = int(part.sum(dtype=np.int64)) / max(1, int(ink.sum(dtype=np.int64)))
        if visible >= HALF:
            outline = outline_of(ink) + np.array([round(x), round(y)], np.float32)
            self.shapes.append((digit if visible >= WHOLE else IGNORED, outline))

    def ignore(self, x: float, y: float, width: float, height: float) -> None:
        """Record a box that may look like a digit."""
        corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
        self.shapes.append((IGNORED, np.array(corners, np.float32)))

    def mean_colour(
        self, x: float = 0, y: float = 0, width: float = 1e9, height: float = 1e9
    ) -> Colour:
        """Return the mean colour of a part of the picture."""
        left, top = (int(np.clip(v, 0, n - 2)) for v, n in ((x, self.width), (y, self.height)))
        right, bottom = int(min(x + width, self.width)), int(min(y + height, self.height))
        area = self.picture[top : max(bottom, top + 2), left : max(right, left + 2)]
        return np.asarray(area.reshape(-1, 3).mean(axis=0), np.float64)

    def layer(self) -> Alpha:
        """Return a blank layer of the size of the picture, to draw lines on."""
        return np.zeros(self.picture.shape[:2], np.uint8)

    def _clip(self, ink: Alpha, x: float, y: float) -> tuple[Alpha, slice, slice]:
        left, top = round(x), round(y)
        bottom, right = min(top + ink.shape[0], self.height), min(left + ink.shape[1], self.width)
        rows, columns = slice(max(top, 0), bottom), slice(max(left, 0), right)
        if rows.start >= bottom or columns.start >= right:
            return ink[:0], rows, columns
        part = ink[rows.start - top : bottom - top, columns.start - left : right - left]
        return part, rows, columns


def outline_of(ink: Alpha) -> Outline:
    """Return the outermost points of ink in several directions: they stay valid when warped."""
    rows, columns = np.nonzero(ink > min(SOLID, int(ink.max()) // 2))
    points = np.stack([columns, rows], axis=1) + 0.5
    angles = np.arange(OUTLINE_DIRECTIONS) * (2 * np.pi / OUTLINE_DIRECTIONS)
    reach = points @ np.stack([np.cos(angles), np.sin(angles)])
    return np.asarray(points[reach.argmax(axis=0)], np.float32)


def line(layer: Alpha, start: tuple[float, float], end: tuple[float, float], width: float) -> None:
    """Draw an antialiased line on a layer; coordinates and width in pixels."""
    a, b = ((round(p[0] * 16), round(p[1] * 16)) for p in (start, end))
    cv2.line(layer, a, b, 255, max(1, round(width)), cv2.LINE_AA, 4)
