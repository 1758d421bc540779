"""Draws pictures of digits for the tests."""

import io
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from mnist_cli.arrays import Gray
from mnist_cli.picture import Picture
from tests.running import SAMPLES

Colours: TypeAlias = npt.NDArray[np.uint8]
"""uint8 [H, W, 3], RGB."""
Boxes: TypeAlias = list[tuple[int, int, int, int]]
"""Left and upper edge, width and height."""

INK, PAPER = 30, 230


def png(pixels: npt.NDArray[np.uint8] | Image.Image) -> bytes:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def picture(pixels: npt.NDArray[np.uint8] | Image.Image) -> Picture:
    return Picture(pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels))


def handwriting(digit: int | str) -> Gray:
    """A sample of MNIST, dark on light, cropped to the digit, which is 60 pixels long."""
    with Image.open(SAMPLES / f"MNIST-{digit}.png") as image:
        gray = np.asarray(image.convert("L"))
    dark = gray < 128
    rows, columns = (np.flatnonzero(dark.any(axis=axis)) for axis in (1, 0))
    return gray[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def scaled(gray: Gray, height: int) -> Gray:
    """A gray picture, resized to a height."""
    width = max(1, round(gray.shape[1] * height / gray.shape[0]))
    return np.asarray(Image.fromarray(gray).resize((width, height), Image.Resampling.BICUBIC))


def write(page: Image.Image, digit: Gray, place: tuple[int, int], ink: Any = INK) -> None:
    """Write a digit, dark on light, on a page in any colour."""
    page.paste(ink, place, Image.fromarray(255 - digit))


def written(text: str, gap: int = 14, margin: int = 30, height: int = 60) -> tuple[Gray, Boxes]:
    """Digits of MNIST in a row, `gap` pixels apart, and their bounding boxes."""
    digits = [handwriting(digit) for digit in text]
    digits = [scaled(digit, round(len(digit) * height / 60)) for digit in digits]
    tall = max(map(len, digits))
    wide = sum(digit.shape[1] + gap for digit in digits) - gap
    page = Image.new("L", (wide + 2 * margin, tall + 2 * margin), PAPER)
    boxes, x = [], margin
    for digit in digits:
        y = margin + (tall - len(digit)) // 2
        write(page, digit, (x, y))
        boxes.append((x, y, digit.shape[1], digit.shape[0]))
        x += digit.shape[1] + gap
    return np.asarray(page), boxes


def printed(lines: Sequence[str], size: int = 60) -> tuple[Gray, Boxes]:
    """Lines of text in the font of Pillow, and the bounding boxes of their characters."""
    page = Image.new("L", (size * max(map(len, lines)) + size, 2 * size * len(lines) + size), PAPER)
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(size)
    boxes = []
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            x, y = size // 2 + column * size, size // 2 + row * 2 * size
            draw.text((x, y), character, INK, font)
            ink = page.crop((x, y, x + size, y + 2 * size)).point(lambda level: level < PAPER // 2)
            left, top, right, bottom = ink.getbbox() or (0, 0, 0, 0)
            boxes.append((x + left, y + top, right - left, bottom - top))
    return np.asarray(page), boxes
