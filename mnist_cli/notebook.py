"""Shows the answers of the Python API in notebooks."""

import base64
import io
from collections.abc import Sequence

import numpy as np
from PIL import Image

from mnist_cli.arrays import Pixels
from mnist_cli.signature import SIDE

# The side of a pixel of the model's input in the picture that notebooks show.
SHOWN_PIXEL_PX = 4


def to_png(lines: Sequence[Sequence[Pixels]]) -> bytes:
    """Return lines of images [28, 28], 0 black to 255 white, as one enlarged picture."""
    sheet = np.full((SIDE * len(lines), SIDE * max(map(len, lines))), 255, np.uint8)
    for row, line in enumerate(lines):
        for column, image in enumerate(line):
            place = slice(SIDE * row, SIDE * (row + 1)), slice(SIDE * column, SIDE * (column + 1))
            sheet[place] = image.round()
    picture = Image.fromarray(sheet)
    size = picture.width * SHOWN_PIXEL_PX, picture.height * SHOWN_PIXEL_PX
    stream = io.BytesIO()
    picture.resize(size, Image.Resampling.NEAREST).save(stream, "png")
    return stream.getvalue()


def to_html(png: bytes, text: str, probability: float, uncertain: bool) -> str:
    """Return a figure of what a model read, and below it the answer with its probability."""
    data = base64.b64encode(png).decode()
    answer = f"<b>{text}</b> {probability:.2f} %{' uncertain' if uncertain else ''}"
    return (
        '<figure style="margin: 0; width: max-content; text-align: center; white-space: pre-line">'
        f'<img src="data:image/png;base64,{data}" alt="{text}"><figcaption>{answer}</figcaption>'
        "</figure>"
    )
