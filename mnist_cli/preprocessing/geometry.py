"""Bounding boxes."""

from typing import Any, NamedTuple

from mnist_cli.arrays import Mask


class Box(NamedTuple):
    """A bounding box in whole pixels of the picture."""

    x: int
    y: int
    width: int
    height: int

    @property
    def rectangle(self) -> "Rectangle":
        """The same box with its right and bottom sides."""
        return Rectangle(self.x, self.y, self.x + self.width, self.y + self.height)


class Rectangle(NamedTuple):
    """A bounding box in fractions of pixels; right and bottom are exclusive."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def sides(self) -> tuple[float, float]:
        return self.width, self.height

    def intersection(self, other: "Rectangle") -> float:
        """Return the area that both have in common."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0.0) * max(height, 0.0)

    def expanded(self, margin: float, width: float, height: float) -> "Rectangle":
        """Return the rectangle with a margin, inside a picture of this size."""
        return Rectangle(
            max(0.0, self.left - margin),
            max(0.0, self.top - margin),
            min(width, self.right + margin),
            min(height, self.bottom + margin),
        )

    def scaled(self, x: float, y: float) -> "Rectangle":
        """Return the rectangle in a picture that is larger by these factors."""
        return Rectangle(self.left * x, self.top * y, self.right * x, self.bottom * y)

    def rounded(self) -> Box:
        """Return the nearest box of whole pixels, of at least one pixel."""
        left, top = round(self.left), round(self.top)
        return Box(left, top, max(1, round(self.right) - left), max(1, round(self.bottom) - top))


def iou(one: Box, other: Box) -> float:
    """Return the intersection over union of two boxes."""
    common = one.rectangle.intersection(other.rectangle)
    return common / (one.width * one.height + other.width * other.height - common)


def bounding_box(mask: Mask) -> tuple[slice, slice]:
    """Return the rows and columns of the bounding box; the mask [H, W] must not be empty."""
    return nonzero_range(mask.any(axis=1)), nonzero_range(mask.any(axis=0))


def nonzero_range(projection: Any) -> slice:
    """Return the range from the first to the last nonzero element."""
    filled = projection.nonzero()[0]
    return slice(filled[0], filled[-1] + 1)
