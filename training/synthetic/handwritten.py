"""MNIST digits, rewritten with other pens."""

import cv2
import numpy as np

from training.recipes.synthetic import SYNTHETIC
from training.synthetic.ink import Gray, crop_to_ink, disk, log_uniform, transform_ink

RECIPE = SYNTHETIC.handwritten


def draw_handwritten(image: Gray, rng: np.random.Generator) -> Gray:
    """Enlarge an MNIST digit [28, 28] smoothly and return its ink as another pen would leave it."""
    scale = RECIPE.upscaling
    large = cv2.resize(crop_to_ink(image), None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(np.pad(large, 2 * scale), (0, 0), scale / 2)
    if rng.random() < RECIPE.skeleton_prob:
        large = _redraw_skeleton(large, rng)
    else:
        level, sharpness = rng.uniform(*RECIPE.edge_level), rng.uniform(*RECIPE.edge_sharpness)
        large = np.clip((large.astype(np.float32) - level) * sharpness + 128, 0, 255)
        if rng.random() < RECIPE.bold_prob:
            large = cv2.dilate(large, disk(int(rng.integers(*RECIPE.bold_size))))
    ink = crop_to_ink(np.asarray(large, np.uint8))
    height = log_uniform(RECIPE.height, rng)
    slant, width_factor = rng.normal(0, RECIPE.slant_sd), rng.uniform(*RECIPE.width_factor)
    if rng.random() < RECIPE.square_prob:
        stretch = rng.uniform(*RECIPE.square_aspect) * ink.shape[0] / ink.shape[1]
        width_factor = min(stretch, RECIPE.square_max_stretch)
    return transform_ink(ink, height, rng.normal(0, RECIPE.rotation_sd), slant, width_factor)


def _redraw_skeleton(large: Gray, rng: np.random.Generator) -> Gray:
    """Thin the strokes to their skeleton and draw it with a pen of random width.

    The skeleton is the ridge of the distance transform, without its side branches.
    """
    scale = RECIPE.upscaling
    large = cv2.GaussianBlur(large, (0, 0), scale / 2)
    mask = (large > RECIPE.skeleton_threshold).astype(np.uint8)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5)
    deep = depth > RECIPE.skeleton_min_depth * cv2.dilate(depth, disk(4 * scale + 1))
    ridge = (depth - cv2.blur(depth, (3, 3)) > RECIPE.skeleton_min_ridge) & (depth > 1) & deep
    gap = disk(RECIPE.skeleton_gap)
    line = cv2.morphologyEx(ridge.astype(np.uint8) * 255, cv2.MORPH_CLOSE, gap)
    line = cv2.dilate(line, disk(int(rng.integers(*RECIPE.skeleton_pen))))
    return np.asarray(cv2.GaussianBlur(line, (0, 0), RECIPE.skeleton_blur_sd), np.uint8)
