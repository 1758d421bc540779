"""From a file, stdin or bytes to grayscale pixels."""

import contextlib
import io
import os
from typing import BinaryIO, cast

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from mnist_cli.arrays import Gray
from mnist_cli.errors import InputError
from mnist_cli.native_output import native_output_hidden

# The formats that Pillow decodes by itself: no helper program, no scripts inside the picture.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000

# Less luma than this, from the darkest to the lightest, may hide ink in a colour.
MIN_LUMA_RANGE = 64
# The levels of one ink deviate by less than this.
MAX_INK_DEVIATION = 32
# The longest side of what colours are told by.
COLOUR_SAMPLE_SIDE_PX = 256
LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)

EXIF_ORIENTATION = 0x0112
# Where Pillow finds an orientation, in all formats but TIFF.
ORIENTATION_KEYS = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}


def read(file: str, stdin: BinaryIO) -> Gray:
    """Read a picture file, or `stdin` if `file` is `-`, as `decode` does.

    Raises:
        InputError: it cannot be read, or is no picture that `decode` takes.
    """
    return decode_silently(load(file, stdin))


def load(file: str, stdin: BinaryIO) -> bytes:
    """The content of a file, or of `stdin` if `file` is `-`; no more than `decode` refuses.

    Raises:
        InputError: it cannot be read.
    """
    try:
        if file == "-":
            return stdin.read(MAX_BYTES + 1)
        with open(file, "rb") as stream:
            # A buffer for the largest file would cost more than to decode a small one; a pipe has
            # no size.
            size = os.fstat(stream.fileno()).st_size or MAX_BYTES
            return stream.read(min(size, MAX_BYTES) + 1)
    except FileNotFoundError as error:
        raise InputError("no such file: check the path") from error
    except IsADirectoryError as error:
        raise InputError("is a folder: name the pictures in it") from error
    except PermissionError as error:
        raise InputError("no permission to read it: check its owner and mode") from error
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error


def decode_silently(data: bytes) -> Gray:
    """As `decode`, where nothing else writes to stderr meanwhile.

    Raises:
        InputError: as from `decode`.
    """
    # libtiff tells of damage on stderr by itself.
    is_tiff = data.startswith((b"II", b"MM"))
    with native_output_hidden() if is_tiff else contextlib.nullcontext():
        return decode(data)


def decode(data: bytes) -> Gray:
    """Decode a picture -> uint8 [H, W], 0 black to 255 white.

    The EXIF orientation is applied. Transparency is laid onto white, or onto black where all that
    is visible is light. Colour becomes luma (ITU-R 601-2), or, where ink and paper are of nearly
    the same luma, what tells them apart. Of an animation the first frame counts, of a document the
    first page.

    Raises:
        InputError: not a picture, damaged, or larger than MAX_BYTES or MAX_PIXELS; the size is
            told from the header, so that a decompression bomb is never decoded.
    """
    if not data:
        raise InputError("the file is empty")
    if len(data) > MAX_BYTES:
        raise InputError(f"larger than {MAX_BYTES >> 20} MiB: reduce the picture")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            check_size(image.width, image.height)
            image.load()
            return _to_gray(_apply_orientation(image))
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"not a picture, or a damaged one: {', '.join(FORMATS)} work") from error
    except Image.DecompressionBombError as error:
        raise InputError(_TOO_LARGE) from error
    except Exception as error:  # on broken files the decoders raise whatever they stumble over
        raise InputError(f"the picture is damaged, or of a rare kind: {error}") from error


_TOO_LARGE = f"more than {MAX_PIXELS // 1_000_000} megapixels: reduce the picture"


def check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise InputError(f"{width} x {height} px are {_TOO_LARGE}")


def _apply_orientation(image: Image.Image) -> Image.Image:
    # To look for an orientation takes as long as to decode a small picture: only where one can be.
    if image.format != "TIFF" and not ORIENTATION_KEYS & image.info.keys():
        return image
    if image.getexif().get(EXIF_ORIENTATION, 1) == 1:
        return image
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def _to_gray(image: Image.Image) -> Gray:
    if image.mode.startswith("I"):
        return _from_16_bit(np.asarray(image))
    if image.mode == "F":
        raise InputError("pixels of 32-bit floats have no known white: save it with 8 or 16 bits")
    if image.has_transparency_data:
        image = _composite(image.convert("RGBA"))
    gray = image if image.mode == "L" else image.convert("L")
    if image.mode not in ("1", "L"):
        darkest, lightest = cast(tuple[int, int], gray.getextrema())
        if lightest - darkest < MIN_LUMA_RANGE:
            gray = _principal_component(image.convert("RGB"), gray)
    # What `np.asarray` does, in a third of the time.
    return np.frombuffer(gray.tobytes(), np.uint8).reshape(gray.height, gray.width)


def _composite(rgba: Image.Image) -> Image.Image:
    """Lay a picture onto the paper that its ink is in contrast to."""
    small = _reduced(rgba)
    luma = np.asarray(small.convert("L"), np.float32)
    weight = np.asarray(small.getchannel("A"), np.float32)
    total = max(float(weight.sum()), 1.0)
    mean = float((luma * weight).sum()) / total
    deviation = float(((luma - mean) ** 2 * weight).sum() / total) ** 0.5
    is_light_ink = mean > 127 and deviation < MAX_INK_DEVIATION
    background = Image.new("RGBA", rgba.size, "black" if is_light_ink else "white")
    return Image.alpha_composite(background, rgba).convert("RGB")


def _principal_component(rgb: Image.Image, luma: Image.Image) -> Image.Image:
    """The gray that tells colours of one luma apart: their first principal component.

    Lighter stays lighter; where luma tells nearly as much, it is taken.
    """
    colours = np.asarray(_reduced(rgb), np.float32).reshape(-1, 3)
    mean = colours.mean(axis=0)
    colours = colours - mean
    axis = np.linalg.eigh(colours.T @ colours)[1][:, -1]
    axis = axis / np.abs(axis).sum() * (np.sign(axis @ LUMA_WEIGHTS) or 1)
    if (colours @ axis).std() < 1.5 * (colours @ LUMA_WEIGHTS).std():
        return luma
    return rgb.convert("L", (*axis.tolist(), float(mean @ (LUMA_WEIGHTS - axis))))


def _reduced(image: Image.Image) -> Image.Image:
    """Enough of a picture to tell its colours by."""
    return image.reduce(-(-max(image.size) // COLOUR_SAMPLE_SIDE_PX))


def _from_16_bit(values: npt.NDArray[np.integer]) -> Gray:
    if values.min() < 0 or values.max() > 65535:
        raise InputError("pixels of 32 bits have no known white: save it with 8 or 16 bits")
    return (values.astype(np.uint16) // 257).astype(np.uint8)
