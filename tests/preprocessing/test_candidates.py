"""Preparation of a picture of one digit: unchanged, clean, or searched by the detector."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnist_cli import reshape
from mnist_cli.arrays import Gray
from mnist_cli.errors import InputError
from mnist_cli.preprocessing import crops, looks, prepare, prepare_clean, search
from mnist_cli.preprocessing.candidates import Candidate, Prepared
from mnist_cli.preprocessing.classical import crop_clean
from mnist_cli.preprocessing.detector import Detection, Look
from mnist_cli.preprocessing.geometry import Rectangle
from mnist_cli.preprocessing.parameters import DETECTOR
from tests.drawing import picture, written


@pytest.fixture
def no_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise AssertionError("the detector is used")

    monkeypatch.setattr(looks, "load_detector", fail)


@pytest.mark.usefixtures("no_detector")
def test_plain_is_the_whole_picture() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 80), np.uint8)
    prepared = prepare(picture(pixels), "plain")
    [only] = prepared.candidates
    assert (prepared.is_final, prepared.is_searched) == (True, False)
    assert (only.box, only.detection) == ((0, 0, 80, 50), None)
    np.testing.assert_array_equal(only.image, reshape.to_28x28(pixels))


@pytest.mark.usefixtures("no_detector")
def test_plain_reads_blank_pictures() -> None:
    assert prepare(picture(np.full((9, 9), 255, np.uint8)), "plain").is_final


@pytest.mark.usefixtures("no_detector")
def test_images_of_mnist_are_final(digits: Gray) -> None:
    for digit in digits[::250]:
        prepared = prepare(picture(digit))
        [only] = prepared.candidates
        assert prepared.is_final and not prepared.is_searched
        np.testing.assert_array_equal(only.image, digit)


@pytest.mark.usefixtures("no_detector")
def test_a_clean_picture_is_not_searched() -> None:
    pixels, [box] = written("4")
    prepared = prepare(picture(pixels))
    [only] = prepared.candidates
    assert not prepared.is_final and not prepared.is_searched
    crop = crop_clean(pixels)
    assert crop is not None and only.detection is None
    assert only.box == crop.box == pytest.approx(box, abs=1)
    np.testing.assert_array_equal(only.image, crop.image)


def test_a_picture_that_is_not_clean_has_no_candidates_before_the_search() -> None:
    pixels, _ = written("48")
    assert prepare_clean(picture(pixels)) == Prepared(())


def test_a_picture_that_is_not_clean_is_searched() -> None:
    pixels, [box] = written("4")
    uneven = (pixels * np.linspace(1, 0.6, pixels.shape[1])).astype(np.uint8)
    prepared = prepare(picture(uneven))
    assert prepared.is_searched and not prepared.is_final
    assert len(prepared.candidates) == len(DETECTOR.single_sides_px)
    for candidate in prepared.candidates:
        np.testing.assert_allclose(candidate.box, box, atol=8)  # the smallest look has 40 pixels
        assert candidate.detection is not None
        assert candidate.detection.classes.argmax() == 4


def test_a_search_keeps_the_crop_of_the_fast_path() -> None:
    pixels, _ = written("4")
    clean = prepare_clean(picture(pixels))
    found = search(picture(pixels), clean)
    assert found.is_searched
    assert found.candidates[0] is clean.candidates[0]
    assert len(found.candidates) == 1 + len(DETECTOR.single_sides_px)


def test_a_blank_picture_is_an_error() -> None:
    for preparation in (prepare, prepare_clean):
        with pytest.raises(InputError, match="no digit in the picture: it is blank"):
            preparation(picture(np.full((50, 60), 200, np.uint8)))


Found = tuple[Rectangle, float]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that sets what the detector sees in one look at a picture of 100x100."""

    def see(*found: Found) -> None:
        detections = [Detection(box, score, np.full(10, 0.1, np.float32)) for box, score in found]
        mask = np.zeros((64, 64), np.float32)
        look = Look(Rectangle(0, 0, 100, 100), (1.0, 1.0), detections, mask)
        monkeypatch.setattr(looks, "look_for_one", lambda rgb: [look])
        nothing = Look(look.region, (2.0, 2.0), [], mask)
        monkeypatch.setattr(looks, "look_for_number", lambda rgb: nothing)

    black = np.zeros((28, 28), np.uint8)
    monkeypatch.setattr(crops, "crop_detection", lambda rgb, look, index: black)
    return see


def _searched() -> Candidate:
    page = picture(Image.new("RGB", (100, 100), "white"))
    [candidate] = search(page, Prepared(())).candidates
    return candidate


LARGE, SMALL = Rectangle(30, 20, 70, 80), Rectangle(5, 40, 15, 60)


@pytest.mark.parametrize("order", [1, -1])
def test_the_most_prominent_digit_is_the_candidate(seen: Any, order: int) -> None:
    seen(*[(LARGE, 0.7), (SMALL, 0.95)][::order])
    assert _searched().box == LARGE.rounded()


def test_an_improbable_detection_is_not_prominent(seen: Any) -> None:
    seen((LARGE, 0.2), (Rectangle(30, 20, 65, 75), 0.9))
    assert _searched().box == (30, 20, 35, 55)


def test_of_equal_digits_the_one_in_the_middle_is_the_candidate(seen: Any) -> None:
    corner, middle = Rectangle(0, 0, 20, 30), Rectangle(40, 35, 60, 65)
    seen((corner, 0.9), (middle, 0.9))
    assert _searched().box == middle.rounded()


def test_a_digit_that_is_too_small_is_looked_for_closely() -> None:
    pixels, [(x, y, width, height)] = written("4")
    page = np.full((1500, 2000), 230, np.uint8)
    page[1200 : 1200 + len(pixels), 900 : 900 + pixels.shape[1]] = pixels
    uneven = (page * np.linspace(1, 0.6, 2000)).astype(np.uint8)
    candidate = prepare(picture(uneven)).candidates[-1]
    np.testing.assert_allclose(candidate.box, (900 + x, 1200 + y, width, height), atol=6)
    assert candidate.detection is not None and candidate.detection.score > 0.5


def test_the_share_counts_digits_of_a_similar_size(seen: Any) -> None:
    seen((LARGE, 0.6), (SMALL, 0.9))
    assert _searched().share == 1
    other = Rectangle(72, 30, 95, 75)
    seen((LARGE, 0.6), (SMALL, 0.9), (other, 0.3))
    assert _searched().share == pytest.approx(0.6 / 0.9)


def test_without_a_detection_there_is_no_digit(seen: Any) -> None:
    seen()
    with pytest.raises(InputError, match="check that the whole digit is visible"):
        search(picture(np.full((100, 100), 255, np.uint8)), Prepared(()))
