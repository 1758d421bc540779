"""Draws the boxes and the answers of a record over its picture."""

import math
from typing import Any, cast

from PIL import Image, ImageDraw, ImageFont

from mnist_cli.picture import Picture
from mnist_cli.records import DigitRecord, DigitsRecord, PredictionRecord

# The longer side of an annotated picture: large enough to read the answers in a picture of MNIST,
# and small enough to look through many photographs.
MIN_SIDE_PX, MAX_SIDE_PX = 480, 1600
# Sizes as fractions of the longer side.
LINE_WIDTH, SMALLEST_TEXT = 1 / 240, 1 / 24
# The height of an answer, as a fraction of the height of its box.
TEXT_HEIGHT = 0.3
# Bluish green and vermilion of a palette for colour-blind people, too (M. Okabe and K. Ito, "Color
# Universal Design", 2008).
CERTAIN, UNCERTAIN = (0, 158, 115), (213, 94, 0)


def annotated(picture: Picture, record: PredictionRecord | DigitsRecord) -> Image.Image:
    """Return a picture in RGB with a box around each digit, and the answer above the box.

    An uncertain answer has a question mark and another colour.
    """
    scale = min(MAX_SIDE_PX / max(picture.size), 1)
    if scale == 1:
        scale = max(1, math.ceil(MIN_SIDE_PX / max(picture.size)))
    width, height = (max(1, round(side * scale)) for side in picture.size)
    # Enlarged pixels keep their edges, as the model read them.
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BOX
    image = picture.image.resize((width, height), method).convert("RGB")
    digits: list[PredictionRecord | DigitRecord] = cast(Any, record).get("digits", [record])
    for digit in digits:
        _draw(image, digit, (width / picture.full_size[0], height / picture.full_size[1]))
    return image


def _draw(
    image: Image.Image, digit: PredictionRecord | DigitRecord, scales: tuple[float, float]
) -> None:
    """Draw the box and the answer of a digit.

    Args:
        image: the picture, which is changed.
        digit: the record of the digit.
        scales: pixels of the image per pixel of the box, horizontally and vertically.
    """
    x, y, width, height = digit["box"]
    left, right = x * scales[0], (x + width) * scales[0]
    top, bottom = y * scales[1], (y + height) * scales[1]
    uncertain = "uncertain" in digit
    colour = UNCERTAIN if uncertain else CERTAIN
    longest = max(image.size)
    line = max(2, round(longest * LINE_WIDTH))
    size = max(longest * SMALLEST_TEXT, TEXT_HEIGHT * (bottom - top))
    draw = ImageDraw.Draw(image)
    edges = (left - line, top - line, right + line, bottom + line)
    draw.rectangle(edges, outline=colour, width=line)
    draw.text(
        (left, max(top - line, size)),  # inside the box if it does not fit above
        f"{digit['prediction']}{'?' if uncertain else ''}",
        fill=colour,
        font=ImageFont.load_default(size),
        anchor="lb",
        stroke_width=line,
        stroke_fill="white",
    )
