"""The digit detector: scenes, targets, decoding, matching and reading order."""

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("training", reason="comes with a checkout only")
pytest.importorskip("cv2", reason="needs training/requirements.txt")
pytest.importorskip("matplotlib", reason="needs training/requirements.txt")

import cv2
import matplotlib

from training.detector import dataset
from training.detector.backgrounds import is_wanted, motif
from training.detector.batches import batch
from training.detector.canvas import IGNORED, Boxes, Canvas, outline_of
from training.detector.dataset import read_shard, write_shard
from training.detector.decode import Detections, decode
from training.detector.digitness import SIDES_PX, scenes
from training.detector.evaluate import INVENTED, ON_IGNORED, Counts, match
from training.detector.fit_recipe import POOL
from training.detector.numbers import Look, random_digits, write_number
from training.detector.recipe import SCENES
from training.detector.scenes import KINDS
from training.detector.scenes.blank import handwritten_letters
from training.detector.scenes.printed import split_pattern
from training.detector.sources import Sources, pen, seven_segments
from training.detector.targets import encode, normalize
from training.detector.tiles import Tile, boxes_of, tile
from training.fonts import Face

Floats = npt.NDArray[np.float32]


@pytest.fixture
def sources(
    digits: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], tmp_path: Path
) -> Sources:
    """MNIST, two fonts that Matplotlib ships, and two photographs of noise."""
    rng = np.random.default_rng(0)
    for number in range(2):
        noise = cv2.resize(rng.integers(0, 256, (9, 12, 3)).astype(np.uint8), (240, 180))
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), noise)
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    families = [
        [Face(name, "Book", str(fonts / f"{name}.ttf"), 0)]
        for name in ("DejaVuSans", "STIXGeneral")
    ]
    images = [255 - digits[labels == digit] for digit in range(10)]
    return Sources(images, families, families, sorted(tmp_path.glob("*.jpg")))


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_of_a_scene_lie_inside_it_and_hold_foreground(kind: str, sources: Sources) -> None:
    found = 0
    for seed in range(6):
        height, width = [(60, 190), (190, 190), (64, 64)][seed % 3]
        canvas = KINDS[kind](np.random.default_rng(seed), sources, height, width)
        assert canvas.picture.shape == (height, width, 3)
        for digit, left, top, right, bottom in boxes_of(canvas):
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height
            if digit != IGNORED:
                found += 1
                area = (
                    slice(int(top), int(np.ceil(bottom))),
                    slice(int(left), int(np.ceil(right))),
                )
                assert canvas.foreground[area].max() > 60
    assert (found == 0) == (kind == "blank")


def test_no_foreground_outside_boxes_of_a_number_that_fits(sources: Sources) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        canvas = Canvas(np.full((80, 400, 3), 255, np.float32), rng)
        look = Look(sources.style(rng), np.zeros(3), 40.0)
        write_number(canvas, look, random_digits(rng, 4), 30, 20)
        boxes = boxes_of(canvas)
        assert len(boxes) == 4
        for _, left, top, right, bottom in boxes:
            area = (slice(int(top) - 2, int(bottom) + 3), slice(int(left) - 2, int(right) + 3))
            canvas.foreground[area] = 0
        assert canvas.foreground.max() < 128


def test_a_number_reports_its_digits_in_order(sources: Sources) -> None:
    rng = np.random.default_rng(3)
    canvas = Canvas(np.full((60, 600, 3), 255, np.float32), rng)
    written = [3, 1, 4, 1, 5, 9, 2, 6]
    end = write_number(canvas, Look(sources.typeface(rng), np.zeros(3), 30.0), written, 10, 10)
    boxes = boxes_of(canvas)
    assert [int(box[0]) for box in boxes] == written
    assert np.all(np.diff(boxes[:, 1]) > 0)
    assert boxes[-1, 3] <= end < 600


def test_a_digit_that_is_cut_is_ignored_and_a_fragment_is_background() -> None:
    canvas = Canvas(np.zeros((50, 100, 3), np.float32), np.random.default_rng(0))
    block = np.full((20, 20), 255, np.uint8)
    for x, digit in ((40, 1), (-6, 2), (94, 3)):
        canvas.digit(block, x, 10, digit, np.full(3, 255.0))
    assert [shape for shape, _ in canvas.shapes] == [1, IGNORED]


def test_outlines_reach_the_ends_of_the_ink() -> None:
    ink = np.zeros((40, 30), np.uint8)
    cv2.ellipse(ink, (15, 20), (10, 17), 0, 0, 360, 255, 2)
    rows, columns = np.nonzero(ink > 100)
    low, high = outline_of(ink).min(axis=0), outline_of(ink).max(axis=0)
    assert np.abs(low - (columns.min() + 0.5, rows.min() + 0.5)).max() == 0
    assert np.abs(high - (columns.max() + 0.5, rows.max() + 0.5)).max() == 0


def test_seven_segments_of_one_are_narrower_than_those_of_eight() -> None:
    rng = np.random.default_rng(1)
    style = seven_segments(rng)
    one, eight = (style.make(digit, 60, rng) for digit in (1, 8))
    assert one.shape[1] < 0.6 * eight.shape[1]
    assert abs(len(eight) - 60) <= 6


def test_a_pen_writes_every_digit_about_as_high_as_asked() -> None:
    rng = np.random.default_rng(2)
    for height in (12.0, 40.0, 150.0):
        for digit in range(10):
            assert 0.75 * height < len(pen(rng).make(digit, height, rng)) < 1.5 * height


def test_handwritten_letters_are_background() -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        canvas = Canvas(np.full((90, 90, 3), 255, np.float32), rng)
        handwritten_letters(canvas)
        assert canvas.picture.min() < 200  # something is written
        assert not canvas.shapes and not canvas.foreground.any()


def test_patterns_keep_their_separators() -> None:
    digits, separators = split_pattern(np.random.default_rng(0), "#,###.##")
    assert len(digits) == len(separators) == 6
    assert separators == ",__.__"


def test_tiles_depend_on_their_seed_only(sources: Sources) -> None:
    first, again, other = (tile(np.random.default_rng(seed), sources) for seed in (5, 5, 6))
    for name in ("pixels", "foreground", "boxes", "places"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.pixels, other.pixels)


def test_boxes_of_tiles_lie_in_one_of_their_places(sources: Sources) -> None:
    for seed in range(12):
        one = tile(np.random.default_rng(seed), sources)
        assert one.pixels.shape == (SCENES.tile, SCENES.tile, 3)
        corners = [(left, top, left + w, top + h) for top, left, h, w in one.places.tolist()]
        for _, *box in one.boxes.tolist():
            centre_x, centre_y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            [place] = [c for c in corners if c[0] <= centre_x < c[2] and c[1] <= centre_y < c[3]]
            assert place[0] <= box[0] and place[1] <= box[1]
            assert box[2] <= place[2] and box[3] <= place[3]
        outside = np.ones(one.foreground.shape, bool)
        for left, top, right, bottom in corners:
            outside[top:bottom, left:right] = False
        assert not one.pixels[outside].any()


def test_shards_come_back_as_they_were_written(sources: Sources, tmp_path: Path) -> None:
    made = [tile(np.random.default_rng(seed), sources) for seed in range(3)]
    write_shard(tmp_path / "shard.npz", made)
    for one, again in zip(made, read_shard(tmp_path / "shard.npz"), strict=True):
        assert np.array_equal(one.pixels, again.pixels)
        assert np.array_equal(one.boxes, again.boxes)
        assert np.array_equal(one.places, again.places)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("usr/share/wallpapers/Path/contents/images/1280x800.jpg",) * 2,
        ("w/Path/contents/images/1280x800.jpg", "w/Path/contents/images/3840x2160.jpg"),
        ("backgrounds/gnome/drool-l.png", "backgrounds/gnome/drool-d.png"),
        ("textures/base/brick1.jpg", "textures/base/brick2.jpg"),
    ],
)
def test_pictures_of_one_motif_stay_in_one_split(one: str, other: str) -> None:
    assert motif(one) == motif(other)


def test_backgrounds_with_characters_are_left_out() -> None:
    assert is_wanted("usr/share/backgrounds/mate/nature/Aqua.jpg")
    assert is_wanted("/textures/base/brick1.tga")
    for name in ("/textures/sfx/logo.jpg", "/textures/signs/exit.jpg", "/textures/brick_n.jpg"):
        assert not is_wanted(name)
    assert not is_wanted("usr/share/doc/readme.png")


def answer(boxes: Boxes, side: int) -> Floats:
    """Return the cells of a network that has learned its targets exactly."""
    targets = encode(boxes, side)
    cells = np.zeros((*targets.peaks.shape, 15), np.float32)
    cells[..., 0] = np.log((targets.peaks + 1e-4) / (1 - targets.peaks + 1e-4))
    np.put_along_axis(cells, 1 + targets.digits[..., None], 9, axis=2)
    cells[..., 11:] = targets.boxes
    return cells


def test_decoding_the_targets_returns_the_drawn_boxes(sources: Sources) -> None:
    wanted = found = 0
    for seed in range(30):
        one = tile(np.random.default_rng(seed), sources)
        boxes = one.boxes[one.boxes[:, 0] != IGNORED]
        read_back = decode(answer(one.boxes, SCENES.tile), 0.5)
        for digit, *corners in boxes:
            distance = np.abs(read_back.boxes - corners).max(axis=1)
            hit = len(distance) > 0 and distance.min() < 0.01
            found += bool(hit and read_back.digits[distance.argmin()] == digit)
            wanted += 1
    assert wanted > 150
    # Two digits whose centres fall into one cell cannot both be decoded.
    assert found >= 0.99 * wanted


def test_ignored_boxes_leave_the_digits_in_them() -> None:
    boxes = np.array([[IGNORED, 0, 0, 96, 96], [7, 40, 40, 60, 70]], np.float32)
    targets = encode(boxes, 96)
    assert targets.ignored[2, 2] == 1
    assert targets.ignored[13, 12] == 0
    assert targets.peaks.max() == 1
    assert targets.weights.sum() == pytest.approx(1, abs=1e-5)


def test_every_digit_weighs_the_same() -> None:
    boxes = np.array([[1, 8, 8, 14, 20], [2, 60, 40, 160, 180]], np.float32)
    weights = encode(boxes, 192).weights
    assert weights[:8, :6].sum() == pytest.approx(1, abs=1e-5)
    assert weights.sum() == pytest.approx(2, abs=1e-5)


def test_normalization_ignores_brightness_and_contrast() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(100, 150, (20, 30, 3)).astype(np.uint8)
    assert np.abs(normalize(picture) - normalize(picture + np.uint8(40))).max() < 1e-5
    assert np.abs(normalize(picture).mean()) < 1e-5
    assert np.abs(normalize(np.full((9, 9, 3), 77, np.uint8))).max() < 1e-5


def test_batches_hold_the_tiles_and_change_them_by_their_generator(sources: Sources) -> None:
    tiles = [tile(np.random.default_rng(seed), sources) for seed in range(2)]
    plain = batch(tiles, None)
    top, left, height, width = (int(v) for v in tiles[0].places[0])
    area = (slice(top, top + height), slice(left, left + width))
    assert np.array_equal(plain["pictures"][0][area], normalize(tiles[0].pixels[area]))
    changed, same = (batch(tiles, np.random.default_rng(1)) for _ in range(2))
    assert all(np.array_equal(changed[name], same[name]) for name in changed)
    assert not np.array_equal(changed["pictures"], plain["pictures"])
    assert plain["foreground"].shape == (2, 96, 96)


def test_a_changed_scene_recipe_or_seed_makes_new_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    def folder() -> Path:
        dataset.tile_folder.cache_clear()
        return dataset.tile_folder()

    before = folder()
    assert folder() == before
    monkeypatch.setattr(dataset, "POOL", dataclasses.replace(POOL, seed=1))
    assert folder() != before
    monkeypatch.undo()
    read_text = Path.read_text

    def edited(file: Path) -> str:
        return read_text(file).replace("tile: int = 192", "tile: int = 160")

    monkeypatch.setattr(Path, "read_text", edited)
    assert folder() != before
    monkeypatch.undo()
    assert folder() == before


def detections(*rows: tuple[int, float, float, float, float]) -> Detections:
    boxes = np.array([row[1:] for row in rows], np.float32).reshape(-1, 4)
    scores = np.linspace(0.9, 0.5, len(rows), dtype=np.float32)
    return Detections(scores, np.eye(10, dtype=np.float32)[[row[0] for row in rows]], boxes)


def test_matching_agrees_with_a_count_by_hand() -> None:
    wanted = np.array(
        [[5, 0, 0, 10, 20], [6, 20, 0, 30, 20], [7, 40, 0, 50, 20], [IGNORED, 60, 0, 80, 20]],
        np.float32,
    )
    found = detections(
        (5, 1, 1, 10, 20),  # the five
        (5, 0, 0, 10, 19),  # the five a second time
        (8, 20, 2, 31, 20),  # the six, misread
        (3, 62, 2, 70, 18),  # on the ignored box
        (1, 90, 0, 95, 20),  # nothing
    )
    assert match(found, wanted) == [0, INVENTED, 1, ON_IGNORED, INVENTED]
    counts = Counts()
    counts.add(found, wanted)
    assert (counts.wanted, counts.matched, counts.found, counts.right) == (3, 2, 4, 1)
    assert counts.recall == pytest.approx(2 / 3)
    assert counts.precision == pytest.approx(1 / 2)
    assert counts.class_accuracy == pytest.approx(1 / 2)
    assert counts.perfect == 0


def test_a_tile_is_perfect_with_all_digits_and_no_others() -> None:
    wanted = np.array([[5, 0, 0, 10, 20]], np.float32)
    counts = Counts()
    counts.add(detections((5, 0, 0, 10, 20)), wanted)
    counts.add(detections(), wanted[:0])
    counts.add(detections((4, 0, 0, 10, 20)), wanted)
    assert (counts.perfect, counts.tiles) == (2, 3)


def test_duplicates_and_parts_of_digits_are_suppressed() -> None:
    boxes = np.array([[8, 20, 20, 80, 140], [3, 120, 60, 150, 120]], np.float32)
    cells = answer(boxes, 192)
    inner = answer(np.array([[0, 30, 90, 70, 130]], np.float32), 192)
    weaker = inner[..., 0] > cells[..., 0]
    cells[weaker] = inner[weaker]
    cells[..., 0] -= np.where(weaker, 1, 0)
    assert sorted(decode(cells, 0.5).digits.tolist()) == [3, 8]


def test_tiles_are_what_networks_take(sources: Sources) -> None:
    one: Tile = tile(np.random.default_rng(8), sources)
    assert one.pixels.dtype == np.uint8
    assert one.boxes.dtype == np.float32
    assert len(one.boxes) <= SCENES.max_boxes


def test_scenes_for_the_digitness_show_one_digit_or_not(sources: Sources) -> None:
    found = list(itertools.islice(scenes(sources), 30))
    assert {is_digit for _, is_digit in found} == {False, True}
    low, high = SIDES_PX
    assert all(low <= side <= high for picture, _ in found for side in picture.image.size)
