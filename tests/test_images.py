"""Decoding pictures of all formats, colours and orientations."""

import io
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageCms

from mnist_cli import images, input_files
from mnist_cli.errors import InputError
from mnist_cli.picture import Picture
from tests.drawing import png
from tests.running import SAMPLES, run

GRAY = Image.open(SAMPLES / "MNIST-5.png").convert("L")


def _sixteen_bits() -> Image.Image:
    return Image.fromarray(np.asarray(GRAY).astype(np.uint16) * 257)


def _on_transparent() -> Image.Image:
    """A black picture whose alpha channel is the digit."""
    picture = Image.new("LA", GRAY.size, (0, 0))
    picture.putalpha(GRAY.point(lambda level: 255 - level))
    return picture


def _frames(image: Image.Image) -> dict[str, Any]:
    """Further frames or pages of other digits."""
    others = [Image.open(SAMPLES / f"MNIST-{digit}.png").resize(image.size) for digit in (1, 2)]
    return {"save_all": True, "append_images": others}


def _cielab() -> Image.Image:
    profiles = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    converted = ImageCms.profileToProfile(GRAY.convert("RGB"), *profiles, outputMode="LAB")
    assert converted is not None
    return converted


PICTURES: dict[str, tuple[str, Callable[[], Image.Image], dict[str, Any]]] = {
    "png, 1 bit": ("PNG", lambda: GRAY.convert("1", dither=Image.Dither.NONE), {}),
    "png, 8 bit": ("PNG", lambda: GRAY, {}),
    "png, 16 bit": ("PNG", _sixteen_bits, {}),
    "png, interlaced palette": ("PNG", lambda: GRAY.convert("P"), {}),
    "png, palette with transparency": (
        "PNG",
        lambda: _on_transparent().convert("RGBA").quantize(64, Image.Quantize.FASTOCTREE),
        {},
    ),
    "png, gray with a transparent level": ("PNG", lambda: GRAY, {"transparency": 255}),
    "png, RGB": ("PNG", lambda: GRAY.convert("RGB"), {}),
    "png, RGBA": ("PNG", lambda: _on_transparent().convert("RGBA"), {}),
    "png, LA": ("PNG", _on_transparent, {}),
    "jpeg": ("JPEG", lambda: GRAY, {"quality": 60}),
    "jpeg, RGB": ("JPEG", lambda: GRAY.convert("RGB"), {}),
    "jpeg, CMYK": ("JPEG", lambda: GRAY.convert("RGB").convert("CMYK"), {}),
    "webp": ("WEBP", lambda: GRAY.convert("RGB"), {}),
    "webp, RGBA": ("WEBP", lambda: _on_transparent().convert("RGBA"), {"lossless": True}),
    "bmp": ("BMP", lambda: GRAY, {}),
    "bmp, 1 bit": ("BMP", lambda: GRAY.convert("1"), {}),
    "gif, first of three frames": ("GIF", lambda: GRAY, _frames(GRAY)),
    "tiff": ("TIFF", lambda: GRAY, {"compression": "tiff_lzw"}),
    "tiff, 16 bit": ("TIFF", _sixteen_bits, {}),
    "tiff, CMYK": ("TIFF", lambda: GRAY.convert("RGB").convert("CMYK"), {}),
    "tiff, CIELAB": ("TIFF", lambda: _cielab(), {}),
    "tiff, first of three pages": ("TIFF", lambda: GRAY, _frames(GRAY)),
    "pgm": ("PPM", lambda: GRAY, {}),
    "avif": ("AVIF", lambda: GRAY.convert("RGB"), {}),
    "jpeg 2000": ("JPEG2000", lambda: GRAY, {}),
    "ico": ("ICO", lambda: GRAY, {}),
    "ico with a bitmap": ("ICO", lambda: GRAY, {"bitmap_format": "bmp"}),
}
SEVERAL_PAGES = "mnist: warning: - has several pages, only the first is read\n"


@pytest.mark.parametrize("name", PICTURES)
def test_reads(name: str) -> None:
    format, make, options = PICTURES[name]
    stream = io.BytesIO()
    make().save(stream, format, **options)
    result = run("predict", "-", stdin=stream.getvalue())
    assert result.code == 0
    assert result.stderr == (SEVERAL_PAGES if name == "tiff, first of three pages" else "")
    assert result.record["prediction"] == 5
    if (
        format not in ("JPEG", "WEBP", "AVIF", "ICO")
        and "1 bit" not in name
        and "palette with" not in name
        and "CIELAB" not in name
    ):
        np.testing.assert_array_equal(images.decode(stream.getvalue()).gray, np.asarray(GRAY))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright(orientation: int) -> None:
    six = Image.open(SAMPLES / "MNIST-6.png")
    # The camera stores the inverse of the transformation that the tag names.
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    (six.transpose(stored) if stored is not None else six).save(stream, "PNG", exif=exif)
    np.testing.assert_array_equal(images.decode(stream.getvalue()).gray, np.asarray(six))
    assert run("predict", "-", stdin=stream.getvalue()).record["prediction"] == 6


def _tiff_header(*entries: bytes) -> bytes:
    """EXIF metadata of such entries: tag, type, count and value."""
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)


ORIENTATION = struct.pack("<HHIHH", 274, 3, 1, 6, 0)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif",
    [
        _tiff_header(struct.pack("<HHI4s", 256, 2, 4, b"abc"), ORIENTATION),  # a width in letters
        _tiff_header(struct.pack("<HHIi", 256, 9, 1, -5), ORIENTATION),
        _tiff_header(ORIENTATION, struct.pack("<HHI4s", 282, 2, 4, b"72")),
    ],
)
def test_other_metadata_than_the_orientation_may_be_wrong(exif: bytes, format: str) -> None:
    stream = io.BytesIO()
    start = b"Exif\0\0" if format == "JPEG" else b""
    six = Image.open(SAMPLES / "MNIST-6.png").resize((28, 40))
    stored = six.transpose(Image.Transpose.ROTATE_90)
    stored.save(stream, format, exif=start + exif)
    assert images.decode(stream.getvalue()).size == six.size


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_metadata_may_be_damaged(format: str) -> None:
    stream = io.BytesIO()
    GRAY.save(stream, format, exif=b"Exif\0\0garbage")
    assert images.decode(stream.getvalue()).size == GRAY.size


INKS = {
    "yellow on white": ("RGB", "white", "yellow"),
    "white on yellow": ("RGB", "yellow", "white"),
    "red on a green of the same luma": ("RGB", (60, 130, 60), (200, 60, 60)),
    "white on nothing": ("RGBA", (0, 0, 0, 0), (255, 255, 255, 255)),
    "cream on nothing": ("RGBA", (0, 0, 0, 0), (255, 240, 200, 255)),
    "blue on nothing": ("RGBA", (255, 255, 255, 0), (30, 40, 200, 255)),
}


@pytest.mark.parametrize("format", ["PNG", "WEBP"])
@pytest.mark.parametrize(("mode", "paper", "ink"), INKS.values(), ids=INKS.keys())
def test_ink_of_any_colour_is_read(mode: str, paper: Any, ink: Any, format: str) -> None:
    picture = Image.new(mode, GRAY.size, paper)
    picture.paste(Image.new(mode, GRAY.size, ink), mask=GRAY.point(lambda level: 255 - level))
    stored = io.BytesIO()
    picture.save(stored, format)
    assert run("predict", "-", stdin=stored.getvalue()).record["prediction"] == 5


def test_a_page_in_one_pale_colour_is_blank() -> None:
    picture = Image.effect_noise((300, 300), 4).convert("RGB")
    pale = Image.blend(picture, Image.new("RGB", picture.size, "lightyellow"), 0.9)
    assert "no digit" in run("predict", "-", stdin=png(pale)).stderr


def _decoded(picture: Image.Image) -> npt.NDArray[np.float64]:
    return images.decode(png(picture)).gray.astype(np.float64)


def test_colours_of_the_same_luma_become_their_first_principal_component() -> None:
    rng = np.random.default_rng(0)
    ink = rng.random((40, 50)) < 0.3
    colours = np.where(ink[..., np.newaxis], (200, 60, 60), (60, 130, 60)) + rng.normal(
        0, 4, (40, 50, 3)
    )
    colours = colours.round().astype(np.uint8)
    flat = colours.reshape(-1, 3) - colours.reshape(-1, 3).mean(axis=0)
    component = (flat @ np.linalg.svd(flat, full_matrices=False)[2][0]).reshape(ink.shape)
    correlation = np.corrcoef(_decoded(Image.fromarray(colours)).ravel(), component.ravel())
    assert abs(correlation[0, 1]) > 0.999


def test_other_colours_become_their_luma() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    luma = colours @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(_decoded(Image.fromarray(colours)), luma, atol=1)


@pytest.mark.parametrize(("ink", "paper"), [(250, 0), (30, 255)])
def test_transparency_is_composited_on_the_opposite_of_the_ink(ink: int, paper: int) -> None:
    alpha = np.random.default_rng(0).integers(0, 256, (40, 50), np.uint8)
    picture = Image.fromarray(np.dstack([np.full_like(alpha, ink)] * 3 + [alpha]))
    opacity = alpha / 255
    np.testing.assert_allclose(_decoded(picture), ink * opacity + paper * (1 - opacity), atol=1)


@pytest.mark.parametrize("white", [255, 4095, 65535])
@pytest.mark.parametrize(
    ("format", "dtype"), [("PNG", np.uint16), ("TIFF", np.uint16), ("TIFF", np.int32)]
)
def test_wide_integers_hold_8_12_or_16_bits(
    white: int, format: str, dtype: type[np.generic]
) -> None:
    levels = (np.asarray(GRAY).astype(np.float64) * white / 255).round().astype(dtype)
    stream = io.BytesIO()
    Image.fromarray(levels).save(stream, format)
    np.testing.assert_allclose(images.decode(stream.getvalue()).gray, np.asarray(GRAY), atol=1)
    assert run("predict", "-", stdin=stream.getvalue()).record["prediction"] == 5


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_a_jpeg_may_lack_its_end_marker_but_no_pixels(options: dict[str, Any]) -> None:
    stream = io.BytesIO()
    Image.open(SAMPLES / "house-number-407.png").convert("RGB").save(stream, "JPEG", **options)
    whole = stream.getvalue()
    for cut in (1, 2):
        np.testing.assert_array_equal(images.decode(whole[:-cut]).gray, images.decode(whole).gray)
    for cut in (12, 200, len(whole) // 2):
        with pytest.raises(InputError, match="truncated"):
            images.decode(whole[:-cut])


@pytest.mark.parametrize("is_png", [False, True])
def test_a_large_picture_in_an_icon_is_rejected_before_it_is_decoded(is_png: bool) -> None:
    sides = (30_000, 30_000)
    if is_png:
        picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", *sides)
    else:
        picture = struct.pack("<Iii", 40, *sides)
    icon = struct.pack("<HHH", 0, 1, 1) + struct.pack(
        "<4BHHII", 0, 0, 0, 0, 1, 32, len(picture), 22
    )
    with pytest.raises(InputError, match="30000 x 30000 px are more than 64 megapixels"):
        images.decode(icon + picture)


def test_sixteen_bits_keep_the_high_byte() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    np.testing.assert_array_equal(_decoded(Image.fromarray(levels)), levels // 257)


def test_a_picture_keeps_its_colours() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    picture = images.decode(png(colours))
    assert (picture.image.mode, picture.image.size) == ("RGB", (50, 40))
    np.testing.assert_array_equal(np.asarray(picture.image), colours)
    assert picture.gray.shape == (40, 50) and picture.gray.dtype == np.uint8
    assert picture.pixels is picture.gray


@pytest.mark.parametrize("name", ["png, 1 bit", "png, 16 bit", "png, LA", "jpeg, CMYK", "pgm"])
def test_every_mode_has_gray_levels_and_colours(name: str) -> None:
    format, make, options = PICTURES[name]
    stream = io.BytesIO()
    make().save(stream, format, **options)
    picture = images.decode(stream.getvalue())
    np.testing.assert_allclose(np.asarray(picture.image.convert("L")), picture.gray, atol=1)


def test_pixels_can_be_fractions() -> None:
    pixels = np.array([[0.25, 254.75], [17.5, 3.0]])
    picture = Picture.from_pixels(pixels)
    assert picture.pixels is pixels
    np.testing.assert_array_equal(picture.gray, [[0, 255], [18, 3]])
    np.testing.assert_array_equal(np.asarray(picture.image), picture.gray)


@pytest.mark.parametrize("growth", [0, 1, 3_000_000])
@pytest.mark.parametrize("size", [0, 1000])
def test_a_file_that_grows_while_it_is_read(
    growth: int, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "growing.png"
    file.write_bytes(b"x" * size)
    fstat = os.fstat

    def grow_after_fstat(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        with file.open("ab") as stream:
            stream.write(b"y" * growth)
        return status

    monkeypatch.setattr(os, "fstat", grow_after_fstat)
    assert input_files.load_regular(str(file)) == b"x" * size + b"y" * growth


def test_a_file_that_shrinks_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shrinking.png"
    file.write_bytes(b"x" * 1000)
    fstat = os.fstat

    def shrink_after_fstat(descriptor: int) -> os.stat_result:
        status = fstat(descriptor)
        os.truncate(file, 10)
        return status

    monkeypatch.setattr(os, "fstat", shrink_after_fstat)
    assert input_files.load_regular(str(file)) == b"x" * 10


def test_a_picture_that_does_not_fit_into_memory() -> None:
    program = """
import io, resource
from PIL import Image
from mnist_cli import errors, images
file = io.BytesIO()
Image.new("L", (8000, 7900), "white").save(file, "PNG")
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**25,) * 2)
try:
    images.decode(file.getvalue())
except errors.InputError as error:
    print(error)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "not enough memory to decode the picture: scale it down\n"


def test_no_more_than_the_limit_is_read(tmp_path: Path) -> None:
    file = tmp_path / "large.png"
    file.touch()
    os.truncate(file, input_files.MAX_BYTES + 1000)
    assert len(input_files.load_regular(str(file))) == input_files.MAX_BYTES + 1
