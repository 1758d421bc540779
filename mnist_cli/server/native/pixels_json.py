"""Decodes pixels sent as JSON."""

from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.errors import InputError
from mnist_cli.images import check_size, is_from_0_to_1
from mnist_cli.picture import Picture
from mnist_cli.server.json_body import (
    Number,
    decode_json,
    nested_list,
    nesting_depth,
    number_array,
)
from mnist_cli.signature import shape_text

# These limits are documentation: `decode_pixels` checks them faster, and reports where.
Pixel: TypeAlias = Annotated[
    int | float, msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": 255})
]
Row: TypeAlias = Annotated[list[Pixel], msgspec.Meta(extra_json_schema={"minItems": 1})]


class PicArrayRequest(msgspec.Struct, rename="camel"):
    """Gray pixels for `POST /predict`."""

    pic_array: Annotated[
        list[Row],
        msgspec.Meta(
            description="Rows of equal length with gray pixels from 0 (black) to 255 (white).",
            extra_json_schema={"minItems": 1},
        ),
    ]


class _Tensor(msgspec.Struct, rename="camel"):
    pic_array: msgspec.Raw


def is_json(content_type: str) -> bool:
    """Whether a Content-Type header is that of JSON, with any parameters."""
    return content_type.partition(";")[0].strip().lower() == "application/json"


def decode_pixels(body: bytes) -> npt.NDArray[Any]:
    """Decode `{"picArray": [[0..255, ...], ...]}` -> [H, W] uint8 or, for fractions, float32.

    The shapes [H, W, 1], [1, H, W] and [784] are accepted, too, and [H, W, 3] with RGB.

    Raises:
        InputError: the body is not JSON of this form; the message names the place.
    """
    try:
        rows: list[list[Any]] = decode_json(PicArrayRequest, body).pic_array
    except InputError as error:
        return _check_scale(_decode_tensor(body, error))
    if not rows or not rows[0]:
        raise InputError("picArray is empty: send at least one row with one pixel")
    width = len(rows[0])
    check_size(width, len(rows))
    if set(map(len, rows)) != {width}:
        row = next(index for index, row in enumerate(rows) if len(row) != width)
        raise InputError(f"picArray[{row}] has {len(rows[row])} values, row 0 has {width}")
    try:
        # bytearray accepts only integers from 0 to 255, in half the time of bytes.
        flat = b"".join(map(bytearray, rows))
    except (TypeError, ValueError):
        pixels = number_array(rows)
        _check_range(rows, pixels)
        return _check_scale(pixels.astype(np.float32))
    return _check_scale(np.frombuffer(flat, np.uint8).reshape(len(rows), width))


def _decode_tensor(body: bytes, error: InputError) -> npt.NDArray[Any]:
    """Decode pixels that are not rows of numbers; `error` says why they are not."""
    raw = bytes(decode_json(_Tensor, body).pic_array)
    depth = nesting_depth(raw)
    if depth not in (1, 3):
        raise error
    try:
        lists = decode_json(nested_list(Number, depth), raw)
        pixels = number_array(lists)
    except InputError:
        raise error from None
    _check_range(lists, pixels)
    shape = pixels.shape
    if shape == (784,):
        return pixels.reshape(28, 28).astype(np.float32)
    if len(shape) == 3 and 1 in (shape[0], shape[2]) and 0 not in shape:
        height_width = shape[:2] if shape[2] == 1 else shape[1:]
        check_size(*height_width)
        return pixels.reshape(height_width).astype(np.float32)
    if len(shape) == 3 and shape[2] == 3:
        check_size(*shape[:2])
        return Picture(Image.fromarray(pixels.round().astype(np.uint8))).gray
    raise InputError(
        f"picArray has the shape {shape_text([*shape])}: send [H,W], [H,W,1], [1,H,W], [H,W,3] "
        "or [784]"
    )


def _check_range(lists: Any, pixels: npt.NDArray[np.float64]) -> None:
    outside = np.argwhere(~((pixels >= 0) & (pixels <= 255)))
    if len(outside):
        place, value = "", lists
        for index in outside[0].tolist():
            place, value = f"{place}[{index}]", value[index]
        raise InputError(f"picArray{place} is {value}: pixels are from 0 to 255")


def _check_scale(pixels: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Reject pixels from 0 to 1, in which nobody could see a digit."""
    if is_from_0_to_1(pixels):
        raise InputError(
            "the pixels in picArray are from 0 to 1: expected from 0 (black) to 255 (white), so "
            "multiply them by 255"
        )
    return pixels
