"""The fast path for clean pictures, on drawings whose foreground is known."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy import ndimage

from mnist_cli.arrays import Gray
from mnist_cli.errors import InputError
from mnist_cli.preprocessing.classical import crop_clean
from mnist_cli.preprocessing.geometry import Box
from mnist_cli.preprocessing.normalize import normalize_foreground
from mnist_cli.preprocessing.parameters import CLASSICAL
from tests.drawing import INK, PAPER, handwriting, scaled, write


def _page(digit: Gray, left: int, top: int, size: tuple[int, int]) -> Gray:
    page = Image.new("L", size, PAPER)
    write(page, digit, (left, top))
    return np.asarray(page)


def _ink_box(gray: Gray) -> tuple[int, int, int, int]:
    """The bounding box of what is at least half as dark as the ink."""
    rows, columns = np.nonzero(gray < (INK + PAPER) / 2)
    left, top = int(columns.min()), int(rows.min())
    return left, top, int(columns.max()) + 1 - left, int(rows.max()) + 1 - top


@pytest.mark.parametrize("digit", range(10))
@pytest.mark.parametrize("height", [12, 60, 200, 1500])
def test_the_box_is_that_of_the_ink(digit: int, height: int) -> None:
    rng = np.random.default_rng(digit)
    shape = scaled(handwriting(digit), height)
    left, top = rng.integers(height // 8, height, 2).tolist()
    right, bottom = rng.integers(height // 8, height, 2).tolist()
    size = (left + shape.shape[1] + right, top + shape.shape[0] + bottom)
    page = _page(shape, left, top, size)
    # Large pictures are reduced before the digit is located.
    reduction = -(-max(size) // CLASSICAL.max_side_px)
    for gray in (page, 255 - page):
        crop = crop_clean(gray)
        assert crop is not None and not crop.is_original
        np.testing.assert_allclose(crop.box, _ink_box(page), atol=1 + 2 * reduction)


def test_a_small_digit_on_a_large_page_is_located_closely() -> None:
    digit = scaled(handwriting(4), 90)
    page = _page(digit, 1720, 310, (2400, 1800))
    crop, near = crop_clean(page), crop_clean(page[250:450, 1650:1850])
    assert crop is not None and near is not None
    np.testing.assert_allclose(crop.box, _ink_box(page), atol=4)
    assert np.abs(crop.image.astype(int) - near.image).mean() < 3


@pytest.mark.parametrize("digit", range(10))
def test_the_image_is_the_normalized_ink(digit: int) -> None:
    shape = scaled(handwriting(digit), 90)
    crop = crop_clean(_page(shape, 40, 50, (200, 220)))
    assert crop is not None
    expected = normalize_foreground(255 - shape)
    assert np.abs(crop.image.astype(int) - expected).mean() < 6
    assert (crop.image.min(), crop.image.max()) == (0, 255)


@pytest.mark.slow
def test_pictures_of_mnist_stay_as_they_are(digits: Gray) -> None:
    for digit in digits[1::2][:2000]:
        rows, columns = np.nonzero(digit < 192)
        height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
        for gray in (digit, 255 - digit):
            crop = crop_clean(gray)
            assert crop is not None and crop.is_original
            np.testing.assert_array_equal(crop.image, digit)
            assert crop.box == Box(int(columns.min()), int(rows.min()), width, height)


def test_a_speck_on_a_large_page_is_not_cropped() -> None:
    page = np.full((6000, 6000), 255, np.uint8)
    page[3000, 3000] = 0
    assert crop_clean(page) is None


def test_a_crop_is_normalized_already(digits: Gray) -> None:
    for digit in digits[::100]:
        large = np.kron(digit, np.ones((3, 3), np.uint8))
        once = crop_clean(np.pad(large, ((9, 90), (5, 40)), constant_values=255))
        if once is None:  # a digit in two parts
            continue
        twice = crop_clean(once.image)
        assert twice is not None and twice.is_original
        np.testing.assert_array_equal(twice.image, once.image)


def test_position_and_contrast_do_not_matter() -> None:
    digit = scaled(handwriting(2), 80)
    crops = [crop_clean(_page(digit, *place, (400, 200))) for place in ((20, 30), (300, 90))]
    faded = (0.4 * _page(digit, 100, 50, (400, 200)) + 70).astype(np.uint8)
    crops += [crop_clean(faded), crop_clean(255 - faded)]
    for crop in crops:
        assert crop is not None and crops[0] is not None
        np.testing.assert_allclose(crop.image, crops[0].image, atol=12)


def _uneven_light(gray: Gray) -> Gray:
    return (gray * np.linspace(1, 0.5, gray.shape[1])).astype(np.uint8)


def _noise(gray: Gray) -> Gray:
    noise = np.random.default_rng(0).normal(0, 15, gray.shape)
    return (gray + noise).clip(0, 255).astype(np.uint8)


def _neighbour(gray: Gray) -> Gray:
    return np.hstack([gray, gray])


def _specks(gray: Gray) -> Gray:
    specked = gray.copy()
    specked[::4, ::4] = INK
    return specked


def _grid(gray: Gray) -> Gray:
    """All lines and the digit are one component."""
    ruled = gray.copy()
    for offset in range(4):
        ruled[offset::32] = ruled[:, offset::32] = INK
    return ruled


@pytest.mark.parametrize(
    "spoil",
    [_uneven_light, _noise, _neighbour, _specks, _grid],
    ids=lambda spoil: spoil.__name__,
)
@pytest.mark.parametrize("size", [260, 780])
def test_other_pictures_are_not_clean(spoil: Callable[[Gray], Gray], size: int) -> None:
    page = _page(scaled(handwriting(3), 120), 70, 60, (260, 260))
    assert crop_clean(page) is not None
    spoiled = spoil(page)
    factor = size // 260
    assert crop_clean(spoiled.repeat(factor, axis=0).repeat(factor, axis=1)) is None


def test_a_speck_is_not_a_second_group() -> None:
    page = _page(scaled(handwriting(3), 120), 70, 60, (260, 260))
    specked = page.copy()
    specked[20:22, 30:32] = INK
    clean, crop = crop_clean(page), crop_clean(specked)
    assert clean is not None and crop is not None
    assert crop.box == clean.box
    np.testing.assert_array_equal(crop.image, clean.image)


def test_a_five_in_two_strokes_is_one_digit() -> None:
    page = Image.new("L", (200, 200), PAPER)
    draw = ImageDraw.Draw(page)
    draw.line([(80, 60), (80, 100), (120, 105), (120, 140), (75, 145)], INK, 9, "curve")
    draw.line([(94, 58), (130, 56)], INK, 9)
    crop = crop_clean(np.asarray(page))
    assert crop is not None
    np.testing.assert_allclose(crop.box, _ink_box(np.asarray(page)), atol=1)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("shape", [(28, 28), (300, 200), (1, 1)])
def test_a_blank_picture_is_an_error(level: int, shape: tuple[int, int]) -> None:
    with pytest.raises(InputError, match="it is blank"):
        crop_clean(np.full(shape, level, np.uint8))


def test_a_faint_square_is_blank() -> None:
    faint = np.full((28, 28), 255, np.uint8)
    faint[4:24, 4:24] = 254
    with pytest.raises(InputError, match="it is blank"):
        crop_clean(faint)


@pytest.mark.parametrize("width", [1, 2, 4, 12])
@pytest.mark.parametrize("size", [300, 3000])
def test_thin_pens_keep_their_ink(width: int, size: int) -> None:
    def seven(width: int) -> Gray:
        page = Image.new("L", (size, size), "white")
        points = [(0.27 * size, 0.17 * size), (0.73 * size, 0.17 * size), (0.4 * size, 0.83 * size)]
        ImageDraw.Draw(page).line(points, "black", width * size // 300, "curve")
        return np.asarray(page)

    thin, bold = crop_clean(seven(width)), crop_clean(seven(25))
    assert thin is not None and bold is not None
    assert thin.image.min() == 0
    np.testing.assert_allclose(thin.box, bold.box, atol=0.09 * size)
    near = ndimage.binary_dilation(bold.image < 250, np.ones((3, 3)))
    assert near[thin.image < 128].mean() > 0.95
