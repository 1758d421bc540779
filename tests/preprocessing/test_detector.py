"""Decoding of hand-made cell maps, and the looks at a picture."""

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_cli.arrays import Floats
from mnist_cli.errors import ModelError
from mnist_cli.preprocessing import detector, looks
from mnist_cli.preprocessing.detector import (
    Detector,
    decode_cells,
    load_detector,
    normalize_contrast,
)
from mnist_cli.preprocessing.geometry import Rectangle
from mnist_cli.preprocessing.parameters import DETECTOR
from tests.drawing import printed, written

Peak = tuple[Rectangle, int, float]
"""Box in pixels of the picture, digit and objectness."""

MARGIN = DETECTOR.margin_px


def logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


class FakeDetector(Detector):
    """Finds given boxes in every look, and records the looks."""

    def __init__(self, peaks: Sequence[Peak] = ()) -> None:
        self.peaks = peaks
        self.inputs: list[Floats] = []
        self.regions: list[Rectangle] = []
        self.scales: list[float] = []

    def look(self, picture: Image.Image, region: Rectangle, scale: float) -> detector.Look:
        self.regions.append(region)
        self.scales.append(scale)
        return super().look(picture, region, scale)

    def run(self, pixels: Floats) -> tuple[Floats, Floats]:
        self.inputs.append(pixels)
        region, (height, width) = self.regions[-1], pixels.shape[:2]
        cells = np.full((height // 4, width // 4, 15), -9, np.float32)
        for box, digit, score in self.peaks:
            self._encode(cells, box, region, digit, score)
        return cells, np.zeros((height // 2, width // 2, 1), np.float32)

    def _encode(
        self, cells: Floats, box: Rectangle, region: Rectangle, digit: int, score: float
    ) -> None:
        # The sides of a look are whole pixels.
        x_scale, y_scale = (
            round(side * self.scales[-1]) / side for side in (region.width, region.height)
        )
        x = ((box.left + box.right) / 2 - region.left) * x_scale + MARGIN
        y = ((box.top + box.bottom) / 2 - region.top) * y_scale + MARGIN
        width, height = box.width * x_scale, box.height * y_scale
        row, column = int(y // 4), int(x // 4)
        cells[row, column, 0] = logit(score)
        cells[row, column, 1:11] = np.where(np.arange(10) == digit, 3, 0)
        cells[row, column, 11:13] = math.log(width / 16), math.log(height / 16)
        cells[row, column, 13] = (x - 4 * (column + 0.5)) / max(width, 8)
        cells[row, column, 14] = (y - 4 * (row + 0.5)) / max(height, 8)


def _picture(width: int = 200, height: int = 120) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(noise)


def test_a_peak_is_a_detection() -> None:
    box = Rectangle(31.5, 40.25, 55.75, 81)
    fake = FakeDetector([(box, 7, 0.8)])
    [found] = fake.look(_picture(), Rectangle(0, 0, 200, 120), 1).detections
    np.testing.assert_allclose(found.box, box, atol=1e-3)
    assert found.score == pytest.approx(0.8, abs=1e-6)
    np.testing.assert_allclose(found.classes, np.exp(3.0 * (np.arange(10) == 7)) / (math.e**3 + 9))


def test_boxes_survive_every_region_and_scale() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        left, top = rng.uniform(0, 90, 2).tolist()
        region = Rectangle(left, top, left + rng.uniform(60, 110), top + rng.uniform(20, 30))
        x, y = rng.uniform(region.left, region.right - 12), rng.uniform(top, region.bottom - 15)
        box = Rectangle(x, y, x + rng.uniform(5, 12), y + rng.uniform(5, 15))
        fake = FakeDetector([(box, 3, 0.9)])
        look = fake.look(_picture(), region, rng.uniform(0.5, 6))
        [found] = look.detections
        np.testing.assert_allclose(found.box, box, atol=1e-2)
        # The mask has half the resolution of the input.
        mask = look.in_mask(box)
        x_scale, y_scale = look.scale
        assert mask.left == pytest.approx(((box.left - region.left) * x_scale + MARGIN) / 2)
        assert mask.bottom == pytest.approx(((box.bottom - region.top) * y_scale + MARGIN) / 2)


def test_boxes_end_at_the_edge_of_the_picture() -> None:
    fake = FakeDetector([(Rectangle(-8, 90, 20, 133), 0, 0.9)])
    [found] = fake.look(_picture(), Rectangle(0, 0, 200, 120), 1).detections
    np.testing.assert_allclose(found.box, (0, 90, 20, 120), atol=1e-3)


def test_the_strongest_of_neighbouring_cells_is_the_peak() -> None:
    cells = np.full((8, 10, 15), -9, np.float32)
    cells[..., 11:] = 0
    cells[3, 4, 0], cells[3, 5, 0], cells[4, 4, 0] = 1, 0.9, 0.5
    [only] = decode_cells(cells)
    assert only.score == pytest.approx(1 / (1 + math.exp(-1)))
    # The middle of the cell, and 16 pixels wide.
    np.testing.assert_allclose(only.box, (10, 6, 26, 22), atol=1e-5)


@pytest.mark.parametrize("score", [DETECTOR.min_peak - 0.01, DETECTOR.min_peak + 0.01])
def test_low_peaks_are_dropped(score: float) -> None:
    fake = FakeDetector([(Rectangle(20, 20, 40, 60), 1, score)])
    found = fake.look(_picture(), Rectangle(0, 0, 200, 120), 1).detections
    assert len(found) == (score > DETECTOR.min_peak)


def test_duplicates_are_suppressed_by_higher_scores() -> None:
    digit, shifted = Rectangle(20, 20, 50, 80), Rectangle(26, 24, 54, 82)
    part = Rectangle(25, 22, 45, 45)  # the upper loop of an eight
    beside = Rectangle(48, 20, 78, 80)
    peaks = [(part, 0, 0.7), (shifted, 3, 0.6), (digit, 8, 0.9), (beside, 5, 0.5)]
    found = FakeDetector(peaks).look(_picture(), Rectangle(0, 0, 200, 120), 1).detections
    assert [int(one.classes.argmax()) for one in found] == [8, 5]
    assert [one.score for one in found] == pytest.approx([0.9, 0.5])


@pytest.mark.parametrize("scale", [0.4, 1, 2.3])
def test_the_input_is_padded(scale: float) -> None:
    fake, picture = FakeDetector(), _picture(150, 90)
    region = Rectangle(10, 20, 110, 80)
    look = fake.look(picture, region, scale)
    [pixels] = fake.inputs
    width, height = round(100 * scale), round(60 * scale)
    assert pixels.dtype == np.float32
    assert all(side % 32 == 0 for side in pixels.shape[:2])
    assert all(
        2 * MARGIN <= side - used < 2 * MARGIN + 32
        for side, used in zip(pixels.shape, (height, width), strict=False)
    )
    kernel = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    resized = np.asarray(picture.resize((width, height), kernel, box=region), np.float32)
    inside = pixels[MARGIN : MARGIN + height, MARGIN : MARGIN + width]
    np.testing.assert_allclose(inside, normalize_contrast(resized), atol=1e-6)
    outside = pixels.copy()
    outside[MARGIN : MARGIN + height, MARGIN : MARGIN + width] = 0
    assert not outside.any()
    assert look.foreground.shape == (pixels.shape[0] // 2, pixels.shape[1] // 2)
    np.testing.assert_allclose(look.foreground, 0.5)


def test_contrast_and_brightness_hardly_matter() -> None:
    pixels = np.asarray(_picture(), np.float32)
    normal = normalize_contrast(pixels)
    np.testing.assert_allclose(normal.mean(axis=(0, 1)), 0, atol=1e-4)
    assert normal.std() == pytest.approx(pixels.std() / (pixels.std() + 12), rel=1e-3)
    np.testing.assert_allclose(normalize_contrast(pixels + 40), normal, atol=1e-4)
    assert not normalize_contrast(np.full((20, 30, 3), 77, np.float32)).any()


def _use(monkeypatch: pytest.MonkeyPatch, fake: FakeDetector) -> FakeDetector:
    monkeypatch.setattr(looks, "load_detector", lambda: fake)
    return fake


def test_looks_for_one_digit_are_at_all_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = _use(monkeypatch, FakeDetector([(Rectangle(20, 20, 60, 90), 4, 0.9)]))
    seen = looks.look_for_one(_picture(200, 120))
    sides = [2 * max(look.foreground.shape) for look in seen]
    assert len(seen) == len(DETECTOR.single_sides_px)
    assert fake.scales == [side / 200 for side in DETECTOR.single_sides_px]
    assert sides == sorted(sides)
    for look in seen:
        [found] = look.detections
        np.testing.assert_allclose(found.box, (20, 20, 60, 90), atol=0.5)


def test_a_picture_without_digits_gets_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = _use(monkeypatch, FakeDetector())
    assert looks.look_for_number(_picture()).detections == []
    assert fake.scales == [DETECTOR.first_side_px / 200]


def test_the_second_look_is_at_the_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [Rectangle(1000 + 45 * column, 600, 1040 + 45 * column, 660) for column in range(3)]
    fake = _use(monkeypatch, FakeDetector([(box, 5, 0.9) for box in boxes]))
    look = looks.look_for_number(_picture(1600, 1200))
    assert fake.scales == [256 / 1600, pytest.approx(36 / 60, rel=0.1)]
    region = fake.regions[1]
    margin = DETECTOR.border * 60
    np.testing.assert_allclose(
        region, (1000 - margin, 600 - margin, 1130 + margin, 660 + margin), atol=8
    )
    assert look.region == region
    np.testing.assert_allclose(sorted(one.box for one in look.detections), boxes, atol=0.1)


def test_digits_of_a_usual_height_get_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = [Rectangle(10 + 30 * column, 42, 36 + 30 * column, 78) for column in range(8)]
    fake = _use(monkeypatch, FakeDetector([(box, 5, 0.9) for box in boxes]))
    assert len(looks.look_for_number(_picture(256, 130)).detections) == 8
    assert len(fake.scales) == 1


def test_a_line_without_digits_is_enlarged_and_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = _use(monkeypatch, FakeDetector())
    scale = DETECTOR.wide_scale * DETECTOR.first_side_px / 800
    looks.look_for_number(_picture(800, 100))
    assert fake.scales == [scale, DETECTOR.closer_scale * scale]


def test_a_small_picture_without_digits_gets_one_look(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = _use(monkeypatch, FakeDetector())
    looks.look_for_number(_picture(200, 120))
    assert len(fake.scales) == 1


class _Blinded(FakeDetector):
    """Finds nothing in the second look."""

    def run(self, pixels: Floats) -> tuple[Floats, Floats]:
        if len(self.scales) == 2:
            self.peaks = ()
        return super().run(pixels)


def test_a_second_look_that_finds_less_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    box = Rectangle(700, 500, 740, 560)
    fake = _use(monkeypatch, _Blinded([(box, 5, 0.9)]))
    [found] = looks.look_for_number(_picture(1600, 1200)).detections
    assert len(fake.scales) == 2
    np.testing.assert_allclose(found.box, box, atol=0.1)


def test_digits_are_found_where_they_are() -> None:
    pixels, boxes = written("4071")
    look = looks.look_for_number(Image.fromarray(pixels).convert("RGB"))
    certain = [one for one in look.detections if one.score > 0.5]
    found = sorted(certain, key=lambda one: one.box.left)
    assert [int(one.classes.argmax()) for one in found] == [4, 0, 7, 1]
    edges = [(x, y, x + width, y + height) for x, y, width, height in boxes]
    np.testing.assert_allclose([one.box for one in found], edges, atol=5)
    # The mask is high on the ink and low on the paper.
    mask = Image.fromarray(look.foreground)
    size = pixels.shape[::-1]
    upright = mask.resize(size, box=look.in_mask(Rectangle(0, 0, *size)))
    ink = np.asarray(upright) > 0.5
    assert ink[pixels < 80].mean() > 0.9
    assert ink[pixels > 200].mean() < 0.1


def test_threads_see_the_same_as_one_thread() -> None:
    pictures = [
        Image.fromarray(pixels).convert("RGB")
        for pixels, _ in (written("4071"), written("25", height=40), printed(["2468", "3057"]))
    ] * 4
    expected = [looks.look_for_number(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(looks.look_for_number, pictures))
    for look, once in zip(seen, expected, strict=True):
        assert [one.box for one in look.detections] == [one.box for one in once.detections]
        assert [one.score for one in look.detections] == [one.score for one in once.detections]
        np.testing.assert_array_equal(look.foreground, once.foreground)


def test_the_detector_is_loaded_once() -> None:
    assert load_detector() is load_detector()


def test_a_missing_detector_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(detector, "data_folder", lambda name: tmp_path / name)
    with pytest.raises(ModelError, match=r"model.tflite: No such file"):
        load_detector.__wrapped__()
