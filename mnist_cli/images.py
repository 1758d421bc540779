"""Decodes pictures to gray levels and colours."""

import contextlib
import errno
import functools
import io
import os
import stat
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from mnist_cli.arrays import Gray, Pixels
from mnist_cli.errors import InputError
from mnist_cli.native_output import native_output_hidden

# Formats that Pillow decodes without a helper program, and that cannot contain scripts.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
MAX_BYTES = 64 * 2**20
MAX_PIXELS = 64_000_000
# Longer side that JPEGs keep when the decoder reduces them. Preprocessing looks at most at this
# many pixels unless the digits are small, and decoding 4000x3000 pixels takes a third of the time.
REDUCED_SIDE_PX = 1000
# The largest factor that JPEG decoders offer.
MAX_REDUCTION = 8
# Read at a time from a file whose size is not known.
READ_BYTES = 2**20

# Luma between the darkest and the lightest pixel; below it ink and paper may differ in colour only.
MIN_LUMA_RANGE = 64
# Standard deviation of the luma of visible pixels, 0 to 255, if all of them are ink.
MAX_INK_DEVIATION = 32
# Longer side of the copy that colour statistics are computed from.
COLOUR_SAMPLE_SIDE_PX = 256
# How much more the first principal component has to vary than luma to replace it.
MIN_DEVIATION_RATIO = 1.5
# ITU-R BT.601, as in Pillow.
LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)

EXIF_ORIENTATION = 0x0112
# Keys of `Image.info` that Pillow reads an orientation from, except in TIFF.
ORIENTATION_KEYS = {"exif", "Raw profile type exif", "xmp", "XML:com.adobe.xmp"}


class Picture:
    """A picture of 8 bits, upright and without transparency; conversions are made when needed."""

    def __init__(
        self,
        image: Image.Image | Gray,
        full_size: tuple[int, int] | None = None,
        reduction: int = 1,
        decode: "Callable[[int], Picture] | None" = None,
    ) -> None:
        """Take an image of Pillow of any mode but `F` and `I`, or gray levels, uint8 [H, W].

        If the decoder reduced the image, `full_size` is the size of the picture, `reduction` the
        size of its pixels in those of the picture, and `decode` decodes it again with another
        reduction.
        """
        if isinstance(image, Image.Image):
            self._image = image
            self.size = image.size
        else:
            self.gray = image
            self.size = image.shape[1], image.shape[0]
        """Width and height of the decoded image in pixels."""
        self.full_size = full_size or self.size
        """Width and height of the picture in pixels."""
        self._reduction = reduction
        self._decode = decode

    @classmethod
    def from_pixels(cls, pixels: Pixels) -> "Picture":
        """Take gray levels [H, W] of any number type, 0 black to 255 white."""
        whole = pixels if pixels.dtype == np.uint8 else pixels.round()
        picture = cls(np.asarray(whole, np.uint8))
        picture.pixels = pixels
        return picture

    @functools.cached_property
    def _image(self) -> Image.Image:
        return Image.fromarray(self.gray)

    @functools.cached_property
    def gray(self) -> Gray:
        """Gray levels, uint8 [H, W], 0 black to 255 white.

        Colours are converted to luma (ITU-R BT.601), or to their first principal component if ink
        and paper have nearly the same luma.
        """
        gray = self._image if self._image.mode == "L" else self._image.convert("L")
        if self._image.mode not in ("1", "L"):
            luma = np.asarray(gray)  # its extrema take a tenth of the time of Pillow's
            if int(luma.max()) - int(luma.min()) < MIN_LUMA_RANGE:
                gray = _principal_component(self._image.convert("RGB"), gray)
        return np.asarray(gray)

    @functools.cached_property
    def pixels(self) -> Pixels:
        """The gray levels as they were given, which can be fractions."""
        return self.gray

    @property
    def is_reduced(self) -> bool:
        """Whether the decoder made the image smaller than the picture."""
        return self._reduction > 1

    @property
    def larger(self) -> "Picture":
        """A reduced picture, decoded again at twice the size."""
        assert self._decode
        return self._decode(self._reduction // 2)

    @property
    def full(self) -> "Picture":
        """The picture in full size, decoded again; itself if it is not reduced."""
        return self._decode(1) if self._decode else self

    @functools.cached_property
    def rgb(self) -> Image.Image:
        """The picture in the mode `RGB`."""
        return self._image.convert("RGB")


def read(file: str, stdin: BinaryIO) -> Picture:
    """Read and decode a picture file, or `stdin` if `file` is `-`.

    Raises:
        InputError: the file cannot be read, or `decode` rejects it.
    """
    return decode_silently(load(file, stdin))


def load(file: str, stdin: BinaryIO) -> bytes:
    """Return the content of a file, or of `stdin` if `file` is `-`, up to MAX_BYTES + 1 bytes.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        if file == "-":
            return stdin.read(MAX_BYTES + 1)
        with open(file, "rb") as stream:
            # Allocating MAX_BYTES takes longer than decoding a small picture. Pipes have no size.
            size = os.fstat(stream.fileno()).st_size or MAX_BYTES
            return stream.read(min(size, MAX_BYTES) + 1)
    except OSError as error:
        raise _input_error(error) from error


def load_regular(file: str) -> bytes:
    """Return the content of a regular file, up to MAX_BYTES + 1 bytes.

    It never waits for another process, as opening a named pipe or a terminal can do.

    Raises:
        InputError: the file cannot be read, or is a named pipe, a socket, a device or a folder.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
                kind = "named pipe" if stat.S_ISFIFO(status.st_mode) else "device"
                raise InputError(f"is a {kind}: use a regular file")
            return _read_to_end(descriptor, status.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise _input_error(error) from error


def _read_to_end(descriptor: int, size: int) -> bytes:
    """Read a file that had `size` bytes, up to MAX_BYTES + 1 bytes."""
    content = os.read(descriptor, min(size, MAX_BYTES) + 1)
    if len(content) == size:
        return content
    # The file changes meanwhile, or has no size, as in /proc.
    parts, total = [content], len(content)
    while total <= MAX_BYTES:
        part = os.read(descriptor, min(READ_BYTES, MAX_BYTES + 1 - total))
        if not part:
            break
        parts.append(part)
        total += len(part)
    return b"".join(parts)


def _input_error(error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError("no such file: check the path")
    if isinstance(error, IsADirectoryError):
        return InputError("is a folder: list the pictures in it, or use `mnist predict-batch`")
    if isinstance(error, PermissionError):
        return InputError("permission denied: check the owner and mode of the file")
    if error.errno == errno.ENXIO:
        return InputError("is a socket, or a device that is not ready: use a regular file")
    return InputError(f"cannot be read: {error.strerror}")


def decode_silently(data: bytes) -> Picture:
    """Decode a picture while no other thread writes to stderr.

    Raises:
        InputError: `decode` rejects the picture.
    """
    # libtiff writes its own warnings to stderr.
    is_tiff = data.startswith((b"II", b"MM"))
    with native_output_hidden() if is_tiff else contextlib.nullcontext():
        return decode(data)


def decode(data: bytes, max_reduction: int = MAX_REDUCTION) -> Picture:
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
    with _decoder_errors(), Image.open(io.BytesIO(data), formats=FORMATS) as image:
        check_size(image.width, image.height)
        full_size = image.size
        reduction = _reduce_jpeg(image, max_reduction)
        image.load()
        upright = _apply_orientation(image)
        if reduction == 1:
            return Picture(_to_8_bit(upright))
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
def _decoder_errors() -> Iterator[None]:
    """Raise an InputError instead of the exceptions of Pillow."""
    try:
        yield
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(
            f"not a picture, or damaged: supported formats are {', '.join(FORMATS)}"
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(_TOO_LARGE) from error
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


def _reduce_jpeg(image: Image.Image, max_reduction: int) -> int:
    """Let the decoder reduce a large JPEG; return by how much: 2, 4 or 8, or 1 for not at all.

    The inverse transform of fewer coefficients is as good as an average and takes less time.
    """
    longest = max(image.size)
    reduction = min(longest // REDUCED_SIDE_PX, max_reduction)
    if image.format != "JPEG" or reduction < 2:
        return 1
    width, height = (max(1, round(side / reduction)) for side in image.size)
    image.draft(None, (width, height))
    return round(longest / max(image.size))


def _apply_orientation(image: Image.Image) -> Image.Image:
    # Reading the orientation takes as long as decoding a small picture.
    if image.format != "TIFF" and not ORIENTATION_KEYS & image.info.keys():
        return image
    if image.getexif().get(EXIF_ORIENTATION, 1) == 1:
        return image
    from PIL import ImageOps

    return ImageOps.exif_transpose(image)


def _to_8_bit(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray(_from_16_bit(np.asarray(image)))
    if image.mode == "F":
        raise InputError(
            "the value of white is unknown in 32-bit floats: save the picture with 8 or 16 bits"
        )
    return _composite(image.convert("RGBA")) if image.has_transparency_data else image


def _composite(rgba: Image.Image) -> Image.Image:
    """Composite a transparent picture on white, or on black if all visible pixels are light."""
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
    """Return the first principal component of the colours, scaled so that lighter stays lighter.

    Returns the luma if it varies nearly as much.
    """
    colours = np.asarray(_reduced(rgb), np.float32).reshape(-1, 3)
    mean = colours.mean(axis=0)
    colours = colours - mean
    axis = np.linalg.eigh(colours.T @ colours)[1][:, -1]
    axis = axis / np.abs(axis).sum() * (np.sign(axis @ LUMA_WEIGHTS) or 1)
    if (colours @ axis).std() < MIN_DEVIATION_RATIO * (colours @ LUMA_WEIGHTS).std():
        return luma
    return rgb.convert("L", (*axis.tolist(), float(mean @ (LUMA_WEIGHTS - axis))))


def _reduced(image: Image.Image) -> Image.Image:
    """Return a copy of at most COLOUR_SAMPLE_SIDE_PX on its longer side."""
    return image.reduce(-(-max(image.size) // COLOUR_SAMPLE_SIDE_PX))


def _from_16_bit(values: npt.NDArray[np.integer]) -> Gray:
    if values.min() < 0 or values.max() > 65535:
        raise InputError(
            "the value of white is unknown in 32-bit integers: save the picture with 8 or 16 bits"
        )
    return (values.astype(np.uint16) // 257).astype(np.uint8)
