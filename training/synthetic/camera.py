"""From ink to a picture: paper, neighbours, light and the camera."""

import cv2
import numpy as np

from training.synthetic.ink import Floats, Gray, smooth_field
from training.synthetic.paper_clutter import BoundingBox, add_clutter

LONGEST = 128  # pixels: larger pictures would only cost time
ROUGH_SHARE = 0.5  # the others are clean, as screens and drawing programs make them
EFFECT_SHARE = 0.3  # of the rough ones, for each effect by itself
LIGHT_ON_DARK_SHARE = 0.3
MARGINS = ((0.0, 0.06), (0.1, 0.5), (0.4, 1.2))
"""Paper on each side, in units of the longest side of the ink: tight, usual and loose."""
MARGIN_SHARES = (0.15, 0.6, 0.25)


def photograph(ink: Gray, rng: np.random.Generator) -> Gray:
    """Put ink [h, w] on paper and return a picture [H, W], 0 black to 255 white."""
    coverage, box = _place_on_paper(ink, rng)
    paper = 255.0 if rng.random() < 0.4 else rng.uniform(140, 255)
    contrast = 1.0 if rng.random() < 0.4 else rng.uniform(0.35, 1)
    rough = rng.random() < ROUGH_SHARE
    if rough:
        coverage = add_clutter(coverage, box, rng)
    picture = paper * (1 - contrast * coverage)
    if rough:
        picture = _light(picture, rng)
    if rng.random() < LIGHT_ON_DARK_SHARE:
        picture = 255 - picture
    if rough:
        picture = _blur_and_noise(picture, contrast * paper, rng)
    gray: Gray = np.clip(picture, 0, 255).astype(np.uint8)
    return _compress_jpeg(gray, rng) if rough and rng.random() < EFFECT_SHARE else gray


def _place_on_paper(ink: Gray, rng: np.random.Generator) -> tuple[Floats, BoundingBox]:
    """How much of each pixel is inked, 0 to 1, [H, W], and where the ink is."""
    low, high = MARGINS[rng.choice(len(MARGINS), p=MARGIN_SHARES)]
    longest = max(ink.shape)
    largest = max(0.15 * longest, (LONGEST - longest) / 2)
    margins = np.minimum(rng.uniform(low, high, (2, 2)) * longest, largest).round().astype(int)
    top, left = margins[:, 0].tolist()
    box = BoundingBox(top, left, top + ink.shape[0], left + ink.shape[1])
    return np.asarray(np.pad(ink, margins) / np.float32(255), np.float32), box


def _light(picture: Floats, rng: np.random.Generator) -> Floats:
    """Paper is not smooth, light not even, and hands throw shadows."""
    shape = (picture.shape[0], picture.shape[1])
    if rng.random() < EFFECT_SHARE:
        picture = picture * smooth_field(shape, 2, rng.uniform(0.5, 0.95), 1, rng)
    if rng.random() < EFFECT_SHARE:
        depth = rng.uniform(0.01, 0.06)
        picture = picture * smooth_field(shape, int(rng.integers(8, 32)), 1 - depth, 1, rng)
    if rng.random() < EFFECT_SHARE / 2:
        angle, soft = rng.uniform(0, 2 * np.pi), rng.uniform(1, 12)
        y, x = np.ogrid[: shape[0], : shape[1]]
        across = np.cos(angle) * (x - shape[1] / 2) + np.sin(angle) * (y - shape[0] / 2)
        across = across - rng.uniform(-0.5, 0.5) * min(shape)
        shade = 1 / (1 + np.exp(np.clip(-across / soft, -30, 30)))
        picture = picture * (1 - rng.uniform(0.1, 0.4) * shade).astype(np.float32)
    return picture


def _blur_and_noise(picture: Floats, depth: float, rng: np.random.Generator) -> Floats:
    """Blur and noise; noise is limited by the contrast, so that ink stays ink."""
    if rng.random() < EFFECT_SHARE:
        sigma = min(rng.uniform(0.4, 2.0), min(picture.shape) / 30)
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), max(sigma, 0.3)), np.float32)
    if rng.random() < EFFECT_SHARE:
        noise = rng.standard_normal(picture.shape, np.float32)
        picture = picture + noise * np.float32(rng.uniform(0.01, 0.12) * depth)
    return picture


def _compress_jpeg(gray: Gray, rng: np.random.Generator) -> Gray:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 90))]
    data = cv2.imencode(".jpg", gray, quality)[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
