"""Crops of drawn digits, with detections and masks made by hand."""

from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_cli.arrays import Floats, Gray
from mnist_cli.preprocessing.crops import crop_detection
from mnist_cli.preprocessing.detector import MASK_PX, Detection, Look
from mnist_cli.preprocessing.geometry import Rectangle
from mnist_cli.preprocessing.normalize import normalize_foreground
from mnist_cli.preprocessing.parameters import DETECTOR
from tests.drawing import handwriting, scaled, write

SIZE = (160, 120)
Place = tuple[int, int]


def _box(digit: Gray, place: Place) -> Rectangle:
    left, top = place
    return Rectangle(left, top, left + digit.shape[1], top + len(digit))


def _look(digits: list[tuple[Gray, Place]], *, soft: float = 0.0) -> Look:
    """What a perfect detector sees: the boxes of digits and the mask of their ink."""
    ink = Image.new("L", SIZE)
    for digit, place in digits:
        ink.paste(255, place, Image.fromarray(255 - digit))
    small = ink.resize((SIZE[0] // MASK_PX, SIZE[1] // MASK_PX), Image.Resampling.BOX)
    mask = np.pad(np.asarray(small, np.float32) / 255, DETECTOR.margin_px // MASK_PX)
    found = [
        Detection(_box(digit, place), 0.9, np.full(10, 0.1, np.float32)) for digit, place in digits
    ]
    foreground: Floats = (soft + (1 - 2 * soft) * mask).astype(np.float32)
    return Look(Rectangle(0, 0, *SIZE), (1.0, 1.0), found, foreground)


def _difference(one: Gray, other: Gray) -> float:
    """The mean difference of gray levels, apart from a shift by one pixel."""
    shifts = [np.roll(one, (y, x), (0, 1)).astype(int) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(float(np.abs(shifted - other).mean()) for shifted in shifts)


def _similar(one: Gray, other: Gray) -> bool:
    """Images of different digits differ by 16 or more."""
    return _difference(one, other) < 10


COLOURS: dict[str, tuple[Any, Any]] = {
    "black on white": ("black", "white"),
    "white on black": ("white", "black"),
    "yellow on white": ((250, 220, 30), "white"),
    "red on green": ((200, 60, 60), (60, 130, 60)),
    "dark blue on violet": ((20, 20, 90), (130, 60, 150)),
}


@pytest.mark.parametrize(("ink", "paper"), COLOURS.values(), ids=COLOURS.keys())
@pytest.mark.parametrize("number", range(10))
def test_the_crop_is_the_ink_in_any_colour(ink: Any, paper: Any, number: int) -> None:
    digit, place = scaled(handwriting(number), 70), (50, 20)
    page = Image.new("RGB", SIZE, paper)
    write(page, digit, place, ink)
    crop = crop_detection(page, _look([(digit, place)], soft=0.1), 0)
    assert crop is not None and crop.shape == (28, 28) and crop.dtype == np.uint8
    assert _similar(crop, normalize_foreground(255 - digit))


def test_the_matte_sharpens_a_coarse_mask() -> None:
    """The mask has half the resolution; the edges come from the picture."""
    digit, place = scaled(handwriting(8), 70), (50, 20)
    page = Image.new("RGB", SIZE, "white")
    write(page, digit, place, "black")
    look = _look([(digit, place)])
    coarse = Image.fromarray(look.foreground).reduce(2).resize(look.foreground.shape[::-1])
    blurred = Look(look.region, look.scale, look.detections, np.asarray(coarse, np.float32))
    crop = crop_detection(page, blurred, 0)
    assert crop is not None
    assert _similar(crop, normalize_foreground(255 - digit))


def test_marks_outside_the_mask_are_removed() -> None:
    digit, place = scaled(handwriting(4), 70), (50, 20)
    page = Image.new("RGB", SIZE, "white")
    write(page, digit, place, "black")
    alone = crop_detection(page, _look([(digit, place)]), 0)
    for y in (26, 84):
        page.paste("black", (0, y, SIZE[0], y + 2))  # ruled lines
    ruled = crop_detection(page, _look([(digit, place)]), 0)
    assert alone is not None and ruled is not None
    assert np.abs(alone.astype(int) - ruled).mean() < 12
    assert (ruled[:, :3] == 255).all() and (ruled[:, -3:] == 255).all()


def test_the_ink_of_a_neighbour_is_removed() -> None:
    three, one = scaled(handwriting(3), 70), np.zeros((70, 12), np.uint8)
    places: tuple[Place, Place] = ((40, 20), (40 + three.shape[1] + 1, 20))
    page = Image.new("RGB", SIZE, "white")
    write(page, three, places[0], "black")
    expected = crop_detection(page, _look([(three, places[0])]), 0)
    write(page, one, places[1], "black")
    both = _look([(three, places[0]), (one, places[1])])
    crop, other = (crop_detection(page, both, index) for index in (0, 1))
    assert crop is not None and expected is not None and other is not None
    assert _similar(crop, expected)
    assert _similar(other, normalize_foreground(255 - one))
    # Without the detection of the neighbour, its ink is in the crop.
    one_found = Look(both.region, both.scale, both.detections[:1], both.foreground)
    joined = crop_detection(page, one_found, 0)
    assert joined is not None and not _similar(joined, expected)


def test_a_box_without_ink_has_no_crop() -> None:
    digit, place = scaled(handwriting(3), 70), (50, 20)
    page = Image.new("RGB", SIZE, "white")
    look = _look([(digit, place)])
    empty = Look(look.region, look.scale, look.detections, np.zeros_like(look.foreground))
    assert crop_detection(page, empty, 0) is None


def test_a_digit_at_the_edge_of_the_picture() -> None:
    digit, place = scaled(handwriting(7), 70), (0, 0)
    page = Image.new("RGB", SIZE, "white")
    write(page, digit, place, "black")
    crop = crop_detection(page, _look([(digit, place)]), 0)
    assert crop is not None
    assert _similar(crop, normalize_foreground(255 - digit))


def test_a_window_of_a_region_at_another_scale() -> None:
    """The same picture, seen by a look at a part of it at half the scale."""
    digit, place = scaled(handwriting(5), 70), (50, 20)
    page = Image.new("RGB", SIZE, "white")
    write(page, digit, place, "black")
    whole = _look([(digit, place)])
    region = Rectangle(32, 8, 128, 104)
    margin = DETECTOR.margin_px // MASK_PX
    part = whole.foreground[margin + 4 : margin + 52, margin + 16 : margin + 64]
    small = np.asarray(Image.fromarray(part).reduce(2), np.float32)
    look = Look(region, (0.5, 0.5), whole.detections, np.pad(small, margin))
    crop, expected = crop_detection(page, look, 0), crop_detection(page, whole, 0)
    assert crop is not None and expected is not None
    assert _similar(crop, expected)
