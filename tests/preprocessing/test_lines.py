"""Reading order of boxes, against the lines that they were made from."""

from dataclasses import dataclass

import numpy as np
import pytest

from mnist_cli.preprocessing.geometry import Rectangle
from mnist_cli.preprocessing.lines import reading_order


@dataclass(frozen=True)
class Item:
    box: Rectangle
    name: str


def _item(left: float, top: float, height: float = 40, width: float = 25) -> Item:
    box = Rectangle(left, top, left + width, top + height)
    return Item(box, f"{left:.0f}, {top:.0f}")


def _check(lines: list[list[Item]]) -> None:
    """Check that the lines are found again, in whatever order the items come."""
    items = [item for line in lines for item in line]
    rng = np.random.default_rng(0)
    for _ in range(5):
        shuffled = [items[index] for index in rng.permutation(len(items))]
        assert reading_order(shuffled, lambda item: item.box) == lines


def test_no_items() -> None:
    assert reading_order([], lambda item: item) == []


def test_one_row() -> None:
    _check([[_item(30 * column, 100) for column in range(8)]])


@pytest.mark.parametrize("distance", [1.1, 1.5, 4])
def test_rows_from_top_to_bottom(distance: float) -> None:
    _check([[_item(30 * x, 40 * distance * y) for x in range(6)] for y in range(4)])


@pytest.mark.parametrize("slope", [-0.6, -0.3, -0.1, 0.1, 0.3, 0.6])
def test_lines_follow_a_slope(slope: float) -> None:
    def line(top: float) -> list[Item]:
        return [_item(30 * column, 400 + top + slope * 30 * column) for column in range(9)]

    _check([line(0), line(70), line(140)])


def test_steps_of_half_a_digit_stay_in_the_line() -> None:
    _check([[_item(30 * column, 15 * (column % 2)) for column in range(7)]])


def test_columns_of_different_height() -> None:
    """Two blocks side by side, the right one begins lower."""
    _check(
        [
            [_item(0, 0), _item(30, 0), _item(400, 10), _item(430, 10)],
            [_item(0, 80), _item(30, 80), _item(400, 90)],
        ]
    )


def test_a_lower_digit_belongs_to_the_line_that_it_overlaps() -> None:
    small = _item(35, 20, height=20, width=12)
    _check([[_item(0, 0), small, _item(60, 0)], [_item(0, 60), _item(35, 60)]])


def test_positions_at_random() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        lines = []
        for row in range(int(rng.integers(1, 5))):
            lefts = np.cumsum(rng.uniform(22, 60, int(rng.integers(1, 9))))
            heights = rng.uniform(32, 40, len(lefts))
            tops = 90 * row + rng.uniform(-4, 4, len(lefts))
            lines.append([_item(*part) for part in zip(lefts, tops, heights, strict=True)])
        _check(lines)
