"""Digits of MNIST as pens of other kinds would have written them."""

import cv2
import numpy as np

from training.synthetic.ink import Gray, crop_to_ink, transform_ink

SCALE = 3  # how many pixels of a drawing one pixel of MNIST becomes
THIN_SHARE = 0.3  # reduced to its middle line, then drawn with another pen
HEIGHTS = (14.0, 80.0)
SLANT, ROTATION = 15.0, 12.0  # degrees, to both sides


def draw_handwritten(image: Gray, rng: np.random.Generator) -> Gray:
    """Return the ink of a digit [28, 28], enlarged smoothly, written with another pen."""
    large = cv2.resize(crop_to_ink(image), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(np.pad(large, 2 * SCALE), (0, 0), SCALE / 2)
    if rng.random() < THIN_SHARE:
        large = _redraw_skeleton(large, rng)
    else:
        # Where the edge is decides how bold the digit is; it gets as sharp as a pen leaves it.
        middle, sharpness = rng.uniform(70, 170), rng.uniform(2, 6)
        large = np.clip((large.astype(np.float32) - middle) * sharpness + 128, 0, 255)
        if rng.random() < 0.3:
            size = int(rng.integers(2, 6))
            large = cv2.dilate(large, _disk(size))
    ink = crop_to_ink(np.asarray(large, np.uint8))
    height = np.exp(rng.uniform(*np.log(HEIGHTS)))
    slant, width = rng.normal(0, SLANT / 3), rng.uniform(0.8, 1.25)
    return transform_ink(ink, height, rng.normal(0, ROTATION / 3), slant, width)


def _redraw_skeleton(large: Gray, rng: np.random.Generator) -> Gray:
    """The middle line, where the distance from the edge has its ridge, with a pen of 2 to 8 px."""
    large = cv2.GaussianBlur(large, (0, 0), SCALE / 2)
    distance = cv2.distanceTransform((large > 110).astype(np.uint8), cv2.DIST_L2, 5)
    # Side branches lead from the middle of the stroke to bumps at its edge.
    middle = distance > 0.6 * cv2.dilate(distance, _disk(4 * SCALE + 1))
    ridge = (distance - cv2.blur(distance, (3, 3)) > 0.15) & (distance > 1) & middle
    line = cv2.morphologyEx(ridge.astype(np.uint8) * 255, cv2.MORPH_CLOSE, _disk(5))
    line = cv2.dilate(line, _disk(int(rng.integers(1, 8))))
    return np.asarray(cv2.GaussianBlur(line, (0, 0), 0.8), np.uint8)


def _disk(size: int) -> Gray:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)
