"""Large JPEGs, which the decoder reduces while it reads them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from mnist_cli import images
from mnist_cli.loader import load_model
from mnist_cli.preprocessing import prepare
from mnist_cli.preprocessing.geometry import iou
from mnist_cli.recognition import read_digit, read_number
from tests.running import SAMPLES

ORIENTATION_TAG = 0x0112


def _photo(digit: int, side: int, *, orientation: int = 1) -> bytes:
    """A JPEG of 4000x3000 pixels with a sample, `side` pixels high, at (1500, 400)."""
    sheet = Image.new("L", (4000, 3000), 225)
    sample = Image.open(SAMPLES / f"MNIST-{digit}.png").convert("L")
    sheet.paste(40, (1500, 400), ImageOps.invert(sample).resize((side, side)))
    turned = sheet.rotate(90, expand=True) if orientation == 6 else sheet
    exif = Image.Exif()
    exif[ORIENTATION_TAG] = orientation
    file = io.BytesIO()
    turned.save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize("side", [60, 150, 400, 2000])
@pytest.mark.parametrize("orientation", [1, 6])
def test_large_jpegs_are_read_as_in_full_size(side: int, orientation: int) -> None:
    model = load_model("k_cnn")
    for digit in (3, 8):
        photo = _photo(digit, side, orientation=orientation)
        reduced, full = images.decode(photo), images.decode(photo, max_reduction=1)
        assert reduced.is_reduced
        assert not full.is_reduced
        assert reduced.full_size == full.full_size == (4000, 3000)
        for one, other in zip(
            (read_digit(model, reduced), *read_number(model, reduced).digits),
            (read_digit(model, full), *read_number(model, full).digits),
            strict=True,
        ):
            assert one.digit == other.digit == digit
            assert iou(one.box, other.box) > 0.75


def test_only_large_jpegs_are_reduced_and_plain_never_is() -> None:
    photo = _photo(4, 1000)
    [plain] = prepare(images.decode(photo), "plain").candidates
    [full] = prepare(images.decode(photo, max_reduction=1), "plain").candidates
    assert np.array_equal(plain.image, full.image)
    assert plain.box == (0, 0, 4000, 3000)
    for format, size, is_reduced in (
        ("JPEG", (4000, 3000), True),
        ("MPO", (4000, 3000), True),  # a JPEG and further pictures
        ("JPEG", (1999, 1500), False),
        ("JPEG", (2003, 1503), True),
        ("PNG", (4000, 3000), False),
    ):
        file = io.BytesIO()
        picture = Image.new("L", size)
        second = {"append_images": [picture], "save_all": True} if format == "MPO" else {}
        picture.save(file, format, **second)
        assert images.decode(file.getvalue()).is_reduced is is_reduced


@pytest.mark.parametrize("size", [(20000, 10), (3, 5000), (2000, 1)])
def test_very_narrow_jpegs_are_decoded(size: tuple[int, int]) -> None:
    file = io.BytesIO()
    Image.new("L", size, 200).save(file, "JPEG")
    picture = images.decode(file.getvalue())
    assert picture.full_size == picture.full.full_size == size
    assert picture.gray.min() > 190


@pytest.mark.parametrize(("side", "times"), [(60, 3), (120, 2), (1200, 1)])
def test_only_small_digits_are_decoded_again(
    side: int, times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded = []
    load = JpegImageFile.load

    def counted(image: JpegImageFile) -> object:
        if image.tile:  # not loaded yet
            decoded.append(image.size)
        return load(image)

    monkeypatch.setattr(JpegImageFile, "load", counted)
    read_digit(load_model("k_cnn"), images.decode(_photo(5, side)))
    assert decoded == [(1000, 750), (2000, 1500), (4000, 3000)][:times]
