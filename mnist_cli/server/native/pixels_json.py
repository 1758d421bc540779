"""From the JSON of the native API to pixels, without a Python loop over them."""

from typing import Annotated, Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from mnist_cli.errors import InputError
from mnist_cli.images import check_size

# What is only described here is checked in `decode`: faster, and with the place in the message.
Pixel: TypeAlias = Annotated[
    int | float, msgspec.Meta(extra_json_schema={"minimum": 0, "maximum": 255})
]
Row: TypeAlias = Annotated[list[Pixel], msgspec.Meta(extra_json_schema={"minItems": 1})]


class PicArrayRequest(msgspec.Struct, rename="camel"):
    """Pixels for `POST /predict`."""

    pic_array: Annotated[
        list[Row],
        msgspec.Meta(
            description="Rows of one length, of gray pixels from 0 for black to 255 for white.",
            extra_json_schema={"minItems": 1},
        ),
    ]


_decoder = msgspec.json.Decoder(PicArrayRequest)


def decode_pixels(body: bytes) -> npt.NDArray[Any]:
    """JSON `{"picArray": [[0..255, ...], ...]}` -> pixels [H, W], uint8 or, for fractions, float32.

    Raises:
        InputError: not such a body; the message tells where.
    """
    rows = decode_json(_decoder, body).pic_array
    if not rows or not rows[0]:
        raise InputError("picArray is empty")
    width = len(rows[0])
    check_size(width, len(rows))
    if set(map(len, rows)) != {width}:
        row = next(index for index, row in enumerate(rows) if len(row) != width)
        raise InputError(f"picArray[{row}] has {len(rows[row])} values, row 0 has {width}")
    try:
        # It takes integers from 0 to 255 and nothing else, twice as fast as `bytes`.
        flat = b"".join(map(bytearray, rows))
    except (TypeError, ValueError):
        return _fractions(rows)
    return np.frombuffer(flat, np.uint8).reshape(len(rows), width)


def decode_json(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    """Decode and check a body of JSON.

    Raises:
        InputError: it is no JSON, or not what is expected.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise InputError(f"the body does not fit: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise InputError("the body is not JSON that anybody needs: nested too deeply") from error


def _fractions(rows: list[list[int | float]]) -> npt.NDArray[np.float32]:
    pixels = np.array(rows, np.float64)
    outside = np.argwhere(~((pixels >= 0) & (pixels <= 255)))
    if len(outside):
        row, column = outside[0]
        value = rows[row][column]
        raise InputError(f"picArray[{row}][{column}] is {value}: pixels are from 0 to 255")
    return pixels.astype(np.float32)
