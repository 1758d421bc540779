"""From ink to a picture: paper, light, blur, noise and compression."""

import cv2
import numpy as np

from training.recipes.synthetic import SYNTHETIC
from training.synthetic.ink import Floats, Gray, smooth_field
from training.synthetic.paper_clutter import BoundingBox, add_clutter

RECIPE = SYNTHETIC.camera


def photograph(ink: Gray, rng: np.random.Generator) -> Gray:
    """Put ink [h, w] on paper and return a picture [H, W], 0 black to 255 white."""
    coverage, box = _place_on_paper(ink, rng)
    paper = 255.0 if rng.random() < RECIPE.white_paper_prob else rng.uniform(*RECIPE.paper)
    full_contrast = rng.random() < RECIPE.full_contrast_prob
    contrast = 1.0 if full_contrast else rng.uniform(*RECIPE.contrast)
    rough = rng.random() < RECIPE.rough_prob
    if rough:
        coverage = add_clutter(coverage, box, rng)
    picture = paper * (1 - contrast * coverage)
    if rough:
        picture = _light(picture, rng)
    if rng.random() < RECIPE.light_on_dark_prob:
        picture = 255 - picture
    if rough:
        picture = _blur_and_noise(picture, contrast * paper, rng)
    gray: Gray = np.clip(picture, 0, 255).astype(np.uint8)
    return _compress_jpeg(gray, rng) if rough and rng.random() < RECIPE.effect_prob else gray


def _place_on_paper(ink: Gray, rng: np.random.Generator) -> tuple[Floats, BoundingBox]:
    """Return the fraction of each pixel [H, W] that ink covers, and where the ink is."""
    low, high = RECIPE.margins[rng.choice(len(RECIPE.margins), p=RECIPE.margin_probs)]
    longest = max(ink.shape)
    limit = max(RECIPE.min_margin_limit * longest, (RECIPE.max_side - longest) / 2)
    margins = np.minimum(rng.uniform(low, high, (2, 2)) * longest, limit).round().astype(int)
    top, left = margins[:, 0].tolist()
    box = BoundingBox(top, left, top + ink.shape[0], left + ink.shape[1])
    return np.asarray(np.pad(ink, margins) / np.float32(255), np.float32), box


def _light(picture: Floats, rng: np.random.Generator) -> Floats:
    """Add uneven illumination, paper texture and the shadow of a hand."""
    shape = (picture.shape[0], picture.shape[1])
    if rng.random() < RECIPE.effect_prob:
        picture = picture * smooth_field(shape, 2, rng.uniform(*RECIPE.darkest_corner), 1, rng)
    if rng.random() < RECIPE.effect_prob:
        depth, grid = rng.uniform(*RECIPE.texture_depth), int(rng.integers(*RECIPE.texture_grid))
        picture = picture * smooth_field(shape, grid, 1 - depth, 1, rng)
    if rng.random() < RECIPE.shadow_prob:
        angle, edge = rng.uniform(0, 2 * np.pi), rng.uniform(*RECIPE.shadow_edge)
        y, x = np.ogrid[: shape[0], : shape[1]]
        distance = np.cos(angle) * (x - shape[1] / 2) + np.sin(angle) * (y - shape[0] / 2)
        distance = distance - rng.uniform(*RECIPE.shadow_offset) * min(shape)
        shade = 1 / (1 + np.exp(np.clip(-distance / edge, -30, 30)))
        picture = picture * (1 - rng.uniform(*RECIPE.shadow_depth) * shade).astype(np.float32)
    return picture


def _blur_and_noise(picture: Floats, contrast: float, rng: np.random.Generator) -> Floats:
    if rng.random() < RECIPE.effect_prob:
        sd = min(rng.uniform(*RECIPE.blur_sd), min(picture.shape) / RECIPE.blur_limit)
        sd = max(sd, RECIPE.blur_min_sd)
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), sd), np.float32)
    if rng.random() < RECIPE.effect_prob:
        noise = rng.standard_normal(picture.shape, np.float32)
        picture = picture + noise * np.float32(rng.uniform(*RECIPE.noise_sd) * contrast)
    return picture


def _compress_jpeg(gray: Gray, rng: np.random.Generator) -> Gray:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*RECIPE.jpeg_quality))]
    data = cv2.imencode(".jpg", gray, quality)[1]
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
