"""Decodes pictures in files, images of Pillow and arrays."""

import contextlib
import functools
import io
import struct
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from mnist_cli import jpeg
from mnist_cli.arrays import Gray
from mnist_cli.errors import InputError
from mnist_cli.formats import FORMATS, unsupported_format
from mnist_cli.input_files import MAX_BYTES, load
from mnist_cli.native_output import native_output_hidden
from mnist_cli.picture import Picture, reduced

ICON_START = b"\0\0\1\0"
MAX_PIXELS = 64_000_000
# Values of white in pictures with wide integers: they hold 8, 12 or 16 bits.
WHITE_LEVELS = (255, 4095, 65535)
# Standard deviation of the luma of visible pixels, 0 to 255, if all of them are ink.
MAX_INK_DEVIATION = 32

EXIF_ORIENTATION = 0x0112
# What each orientation but the upright one, 1, needs.
TRANSPOSITIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# Keys of `Image.info` that Pillow reads an orientation from, except in TIFF.
ORIENTATION_KEYS = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}


def read(file: str, stdin: BinaryIO) -> Picture:
    """Read and decode a picture file, or `stdin` if `file` is `-`.

    Raises:
        InputError: the file cannot be read, or `decode` rejects it.
    """
    return decode_silently(load(file, stdin))


def decode_silently(data: bytes) -> Picture:
    """Decode a picture and hide the warnings of libtiff.

    What other threads print meanwhile may be lost.

    Raises:
        InputError: `decode` rejects the picture.
    """
    is_tiff = data.startswith((b"II", b"MM"))
    with native_output_hidden() if is_tiff else contextlib.nullcontext():
        return decode(data)


def decode(data: bytes, max_reduction: int = jpeg.MAX_REDUCTION) -> Picture:
    """Decode a picture; to save time, large JPEGs are reduced by a power of 2.

    The EXIF orientation is applied. Transparent pictures are composited on white, or on black if
    all visible pixels are light. Only the first frame or page is decoded.

    Raises:
        InputError: the data are not a picture, damaged, or larger than MAX_BYTES or MAX_PIXELS. The
            size is read from the header, so a decompression bomb is never decoded.
    """
    if not data:
        raise InputError("the file is empty")
    if len(data) > MAX_BYTES:
        raise InputError(f"larger than {MAX_BYTES >> 20} MiB: scale the picture down")
    with _decoder_errors(data), _open(data) as image:
        check_size(image.width, image.height)
        full_size = image.size
        is_jpeg = image.format in ("JPEG", "MPO")  # MPO: further pictures follow the first JPEG
        reduction = jpeg.reduce(image, max_reduction) if is_jpeg else 1
        try:
            image.load()
        except OSError:
            if is_jpeg and (complete := jpeg.with_end_marker(data)):
                return decode(complete, max_reduction)
            raise
        upright = _apply_orientation(image)
        if reduction == 1:
            picture = Picture(_to_8_bit(upright))
            picture.has_more_pages = image.format == "TIFF" and getattr(image, "is_animated", False)
            return picture
        is_turned = upright.size != image.size
        return Picture(
            _to_8_bit(upright),
            full_size[::-1] if is_turned else full_size,
            reduction,
            functools.partial(decode, data),
        )


def from_image(image: Image.Image) -> Picture:
    """Take an image of Pillow, as `decode` takes a file.

    Raises:
        InputError: the image is empty, damaged, or larger than MAX_PIXELS.
    """
    with _decoder_errors():
        _check_not_empty(image.width, image.height)
        check_size(image.width, image.height)
        image.load()  # an open file is decoded only now
        return Picture(_to_8_bit(_apply_orientation(image)))


def from_array(array: npt.NDArray[np.generic]) -> Picture:
    """Take an array [H, W] (gray), [H, W, 3] (RGB) or [H, W, 4] (RGBA), 0 black to 255 white.

    Raises:
        InputError: the array has another shape or other values, or more than MAX_PIXELS.
    """
    if array.ndim != 2 and not (array.ndim == 3 and array.shape[2] in (3, 4)):
        raise InputError(
            f"the array has the shape {list(array.shape)}: expected [H, W], [H, W, 3] or [H, W, 4]"
        )
    height, width = array.shape[:2]
    _check_not_empty(width, height)
    check_size(width, height)
    numbers = array if array.dtype == np.uint8 else array.astype(np.float32)
    if not (numbers.min() >= 0 and numbers.max() <= 255):  # or NaN
        raise InputError("the array has values outside of 0 (black) to 255 (white)")
    if is_from_0_to_1(numbers):
        raise InputError(
            "the array has values from 0 to 1: expected from 0 (black) to 255 (white), so multiply "
            "them by 255"
        )
    if array.ndim == 2:
        return Picture.from_pixels(numbers)
    return from_image(Image.fromarray(numbers.round().astype(np.uint8)))


def is_from_0_to_1(pixels: npt.NDArray[Any]) -> bool:
    """Whether pixels have another scale than 0 to 255, on which nobody could see the digit."""
    return bool(0 < pixels.max() <= 1 and pixels.min() < pixels.max())


@contextlib.contextmanager
def _decoder_errors(data: bytes = b"") -> Iterator[None]:
    """Raise an InputError instead of the exceptions of Pillow; `data` is what is decoded."""
    try:
        yield
    except InputError:
        raise
    except UnidentifiedImageError as error:
        if other := unsupported_format(data):
            name, target = other
            problem, tip = f"{name} is not supported", f"convert the picture to {target}"
        else:
            problem = f"not a picture, or damaged: supported formats are {', '.join(FORMATS)}"
            tip = None
        raise InputError(problem, tip) from error
    except Image.DecompressionBombError as error:
        raise InputError(_TOO_LARGE) from error
    except MemoryError as error:
        raise InputError("not enough memory to decode the picture: scale it down") from error
    except Exception as error:  # decoders raise all kinds of exceptions on damaged files
        raise InputError(
            f"the picture is damaged, or uses an unsupported feature of its format: {error}"
        ) from error


_TOO_LARGE = f"more than {MAX_PIXELS // 1_000_000} megapixels: scale the picture down"


def _check_not_empty(width: int, height: int) -> None:
    if not width or not height:
        raise InputError("the picture has no pixels")


def check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(f"{width} x {height} px are {_TOO_LARGE}")


def _open(data: bytes) -> Image.Image:
    if data.startswith(ICON_START):
        _check_icon_sizes(data)
    return Image.open(io.BytesIO(data), formats=FORMATS)


def _check_icon_sizes(data: bytes) -> None:
    """Check the pictures in an icon, which Pillow decodes as soon as it opens the file."""
    [count] = struct.unpack_from("<H", data, 4)
    for entry in range(count):
        [start] = struct.unpack_from("<I", data, 6 + 16 * entry + 12)
        is_png = data.startswith(b"\x89PNG", start)
        width, height = struct.unpack_from(
            *((">II", data, start + 16) if is_png else ("<ii", data, start + 4))
        )
        check_size(abs(width), abs(height))


def _apply_orientation(image: Image.Image) -> Image.Image:
    # Reading the orientation takes as long as decoding a small picture.
    if image.format != "TIFF" and not ORIENTATION_KEYS & image.info.keys():
        return image
    try:
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:  # damaged metadata, which raise all kinds of exceptions; the pixels are fine
        return image
    method = TRANSPOSITIONS.get(orientation)
    return image if method is None else image.transpose(method)


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode == "LAB":  # Pillow converts it only to RGB
        return image.convert("RGB")
    if image.mode.startswith("I"):
        return Image.fromarray(_from_integers(np.asarray(image)))
    if image.mode == "F":
        raise InputError(
            "the value of white is unknown in 32-bit floats: save the picture with 8 or 16 bits"
        )
    return _composite(image.convert("RGBA")) if image.has_transparency_data else image


def _composite(rgba: Image.Image) -> Image.Image:
    """Composite a transparent picture on white, or on black if all visible pixels are light."""
    small = reduced(rgba)
    luma = np.asarray(small.convert("L"), np.float32)
    weight = np.asarray(small.getchannel("A"), np.float32)
    total = max(float(weight.sum()), 1.0)
    mean = float((luma * weight).sum()) / total
    deviation = float(((luma - mean) ** 2 * weight).sum() / total) ** 0.5
    is_light_ink = mean > 127 and deviation < MAX_INK_DEVIATION
    background = Image.new("RGBA", rgba.size, "black" if is_light_ink else "white")
    return Image.alpha_composite(background, rgba).convert("RGB")


def _from_integers(values: npt.NDArray[np.integer]) -> Gray:
    """Convert wide integers to 8 bits; the largest value shows how many bits they hold."""
    white = next((white for white in WHITE_LEVELS if values.max() <= white), 0)
    if values.min() < 0 or not white:
        raise InputError(
            "the value of white is unknown in 32-bit integers: save the picture with 8 or 16 bits"
        )
    return (values.astype(np.uint32) * 255 // white).astype(np.uint8)
