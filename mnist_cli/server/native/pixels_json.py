"""Decodes pixels sent as JSON."""

from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from mnist_cli.errors import InputError
from mnist_cli.images import check_size
from mnist_cli.server.json_body import decode_json, number_array

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


def decode_pixels(body: bytes) -> npt.NDArray[Any]:
    """Decode `{"picArray": [[0..255, ...], ...]}` -> [H, W] uint8 or, for fractions, float32.

    Raises:
        InputError: the body is not JSON of this form; the message names the place.
    """
    rows: list[list[Any]] = decode_json(PicArrayRequest, body).pic_array
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
        return _decode_fractions(rows)
    return np.frombuffer(flat, np.uint8).reshape(len(rows), width)


def _decode_fractions(rows: list[list[int | float]]) -> npt.NDArray[np.float32]:
    pixels = number_array(rows)
    outside = np.argwhere(~((pixels >= 0) & (pixels <= 255)))
    if len(outside):
        row, column = outside[0]
        value = rows[row][column]
        raise InputError(f"picArray[{row}][{column}] is {value}: pixels are from 0 to 255")
    return pixels.astype(np.float32)
