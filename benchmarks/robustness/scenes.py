"""Paper, light, ruled lines, form cells, neighbours and camera: from ink to a photograph.

Reflectance and light are float32 [H, W] or [H, W, 3], 0.0 black to 1.0 white.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.family import Ink, Pixels, Rng, as_pixels

Light = NDArray[np.float32]
Range = tuple[float, float]
Colour = tuple[float, float, float]


def log_uniform(rng: Rng, sizes: Range) -> float:
    """Return a random size whose logarithm is uniform."""
    return float(np.exp(rng.uniform(*np.log(sizes))))


def place_on_canvas(ink: Ink, rng: Rng, space: Range = (0.3, 2)) -> Ink:
    """Place ink at random on a larger canvas; `space` is the added size, relative to the digit."""
    size = max(ink.shape)
    height, width = (side + round(size * rng.uniform(*space)) for side in ink.shape)
    free = (height - ink.shape[0], width - ink.shape[1])
    # Leave a margin of 5 % of the free space, so that ink seldom touches the border.
    top, left = (int(side * rng.uniform(0.05, 0.95)) for side in free)
    canvas = np.zeros((height, width), np.float32)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def render_clean(ink: Ink, rng: Rng) -> Pixels:
    """Render ink and page in two uniform grays; in half of the pictures black on white."""
    page, black = (255, 0) if rng.random() < 0.5 else (rng.uniform(200, 255), rng.uniform(0, 90))
    return np.asarray((page + (black - page) * ink).round(), np.uint8)


def render_clean_or_on_paper(ink: Ink, rng: Rng) -> Pixels:
    """Render half of the pictures clean and half on paper in uneven light."""
    if rng.random() < 0.5:
        return render_clean(ink, rng)
    sheet = write_on_paper(ink, rng) * light_gradient(ink.shape, rng, rng.uniform(0.6, 1))
    return photograph(sheet, rng)


def tint(picture: Light, dark: Colour, light: Colour) -> NDArray[np.float32]:
    """Return a picture [H, W, 3] whose black and white are replaced by two colours, 0 to 1."""
    ends = np.array([dark, light], np.float32)
    return np.asarray(ends[0] + (ends[1] - ends[0]) * picture[..., None], np.float32)


def paper_texture(shape: tuple[int, ...], rng: Rng, roughness: float = 0.02) -> Light:
    """Return blank paper with clouds, fibres and grain."""
    sheet = np.full(shape, rng.uniform(0.8, 1), np.float32)
    for cells, weight in ((6, 1.0), (min(shape) / 4, 0.7)):
        sheet += roughness * weight * smooth_noise(shape, rng, cells)
    grain = rng.standard_normal(shape, np.float32)
    return np.asarray(sheet + roughness * 0.7 * grain, np.float32)


def apply_ink(ink: Ink, sheet: Light, depth: float) -> Light:
    """Darken a sheet where there is ink, which absorbs the fraction `depth` of the light."""
    return np.asarray(sheet * (1 - depth * ink), np.float32)


def write_on_paper(ink: Ink, rng: Rng, depth: Range = (0.6, 0.92)) -> Light:
    """Apply ink of a random depth to new paper."""
    return apply_ink(ink, paper_texture(ink.shape, rng), rng.uniform(*depth))


def light_gradient(shape: tuple[int, ...], rng: Rng, darkest: float) -> Light:
    """Return light that falls off from 1.0 at one side to `darkest` at the other."""
    angle = rng.uniform(0, 2 * np.pi)
    across = _projection(shape, angle)
    return np.asarray(1 - (1 - darkest) * (across - across.min()) / np.ptp(across), np.float32)


def vignette(shape: tuple[int, ...], darkest: float) -> Light:
    """Return light that falls off from 1.0 in the middle to `darkest` in the corners."""
    rows, columns = (np.linspace(-1, 1, side, dtype=np.float32) for side in shape)
    return np.asarray(1 - (1 - darkest) * (rows[:, None] ** 2 + columns**2) / 2, np.float32)


def cast_shadow(shape: tuple[int, ...], rng: Rng, depth: float, edge: float) -> Light:
    """Return light with a shadow; `edge` is the width of its border relative to the longer side."""
    across = _projection(shape, rng.uniform(0, 2 * np.pi))
    start = np.quantile(across, rng.uniform(0.2, 0.8))
    width = max(edge * max(shape), 1)
    return np.asarray(1 - depth * np.clip((across - start) / width + 0.5, 0, 1), np.float32)


def ruled_lines(shape: tuple[int, ...], rng: Rng, pitch: float, squared: bool) -> Ink:
    """Return the ink [H, W] of printed lines, `pitch` pixels apart."""
    lines = np.zeros(shape, np.float32)
    width = max(1, round(pitch * rng.uniform(0.015, 0.04)))
    for axis in (lines, lines.T)[: 1 + squared]:
        for start in np.arange(rng.uniform(0, pitch), len(axis), pitch):
            axis[int(start) : int(start) + width] = 1
    return lines


def form_cell(ink: Ink, rng: Rng) -> tuple[Ink, Ink]:
    """Place ink in a form cell; return the ink and the lines of the cell, both [H, W]."""
    size = max(ink.shape)
    gap = size * rng.uniform(0.12, 0.4, 2)
    outside = round(size * rng.uniform(0.05, 0.4))
    height, width = (round(side + 2 * space) for side, space in zip(ink.shape, gap, strict=True))
    canvas = np.zeros((height + 2 * outside, width + 2 * outside), np.float32)
    lines = canvas.copy()
    # A little off centre, as people write.
    top, left = (outside + int(space * rng.uniform(0.4, 1.6)) for space in gap)
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    line = max(1, round(size * rng.uniform(0.01, 0.04)))
    box = (outside, outside, width, height)
    cv2.rectangle(lines, box, 1.0, line)
    if rng.random() < 0.5:  # in a row of cells: the lines continue to the border
        for row in (outside, outside + height - 1):
            cv2.line(lines, (0, row), (lines.shape[1], row), 1.0, line)
    return canvas, lines


def add_neighbour(ink: Ink, other: Ink, rng: Rng) -> Ink:
    """Add a part of a neighbouring character at the left or right border."""
    size = max(ink.shape)
    gap, margin = (round(size * rng.uniform(*space)) for space in ((0.25, 0.6), (0.1, 0.4)))
    seen = round(other.shape[1] * rng.uniform(0.15, 0.5))
    rows = max(ink.shape[0], other.shape[0]) + 2 * margin
    if rng.random() < 0.5:
        parts = [pad_to_rows(ink, rows, (margin, gap)), pad_to_rows(other[:, :seen], rows, (0, 0))]
    else:
        parts = [pad_to_rows(other[:, -seen:], rows, (0, 0)), pad_to_rows(ink, rows, (gap, margin))]
    return np.hstack(parts)


def pad_to_rows(ink: Ink, rows: int, sides: tuple[int, int]) -> Ink:
    """Pad ink to `rows` rows, centred vertically, and by `sides` pixels at the left and right."""
    top = (rows - ink.shape[0]) // 2
    return np.pad(ink, ((top, rows - ink.shape[0] - top), sides))


def random_perspective(picture: Light, rng: Rng, strength: float = 0.06) -> Light:
    """Warp the picture as if seen from a slightly different direction."""
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.uniform(-strength, strength, (4, 2)) * (width, height)
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen = cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen, np.float32)


def gaussian_blur(picture: Light, sigma: float) -> Light:
    """Blur the picture; `sigma` is in pixels."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.float32)


def photograph(picture: Light, rng: Rng, noise: float = 0.01) -> Pixels:
    """Add random exposure and sensor noise, and convert to gray levels."""
    exposed = picture * rng.uniform(0.85, 1.1)
    return as_pixels(exposed + noise * rng.standard_normal(picture.shape, np.float32))


def jpeg_round_trip(picture: Pixels, quality: int) -> Pixels:
    """Compress a picture as JPEG and decode it."""
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def smooth_noise(shape: tuple[int, ...], rng: Rng, cells: float) -> Light:
    """Return smooth noise of at most unit variance, with `cells` cells on the shorter side."""
    pitch = min(shape) / cells
    coarse = tuple(max(2, round(side / pitch) + 1) for side in shape)
    knots = rng.standard_normal(coarse, np.float32)
    smooth = cv2.resize(knots, shape[::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(smooth, np.float32)


def _projection(shape: tuple[int, ...], angle: float) -> Light:
    """Return the distance of each pixel along a direction."""
    rows = np.sin(angle) * np.arange(shape[0], dtype=np.float32)
    columns = np.cos(angle) * np.arange(shape[1], dtype=np.float32)
    return np.asarray(rows[:, None] + columns, np.float32)
