"""Places tiles on a sheet."""

from collections.abc import Iterator

from PIL import Image


def blank_sheet(
    count: int, columns: int, tile: tuple[int, int], gap: int, colour: str
) -> tuple[Image.Image, Iterator[tuple[int, int]]]:
    """Return a sheet for tiles of this size, and where the left upper corner of each belongs."""
    width, height = tile[0] + gap, tile[1] + gap
    rows = -(-count // columns)
    sheet = Image.new("RGB", (columns * width + gap, rows * height + gap), colour)
    places = (divmod(index, columns) for index in range(count))
    return sheet, ((gap + column * width, gap + row * height) for row, column in places)
