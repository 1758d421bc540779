"""Groups boxes into lines, in reading order."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from mnist_cli.preprocessing.geometry import Rectangle

T = TypeVar("T")

MAX_OFFSET = 0.5
"""Vertical distance of the centres of neighbours in a line, in heights of the taller one."""
MIN_OVERLAP = 0.55
"""Or: vertical overlap of neighbours, in heights of the lower one."""


def reading_order(items: Iterable[T], box_of: Callable[[T], Rectangle]) -> list[list[T]]:
    """Group items into lines from top to bottom, each from left to right."""
    lines: list[list[T]] = []
    for item in sorted(items, key=lambda item: box_of(item).left + box_of(item).right):
        offsets = [(_offset(box_of(line[-1]), box_of(item)), line) for line in lines]
        near = [(offset, line) for offset, line in offsets if offset is not None]
        if near:
            min(near, key=lambda pair: pair[0])[1].append(item)
        else:
            lines.append([item])

    def middle(line: list[T]) -> float:
        return sum(box_of(item).top + box_of(item).bottom for item in line) / len(line)

    return sorted(lines, key=middle)


def _offset(one: Rectangle, other: Rectangle) -> float | None:
    """Return the vertical distance of two boxes in heights; None if they are not neighbours."""
    heights = one.height, other.height
    offset = abs(one.top + one.bottom - other.top - other.bottom) / 2 / max(heights)
    overlap = min(one.bottom, other.bottom) - max(one.top, other.top)
    return offset if offset < MAX_OFFSET or overlap > MIN_OVERLAP * min(heights) else None
