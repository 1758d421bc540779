"""Digits drawn along pen paths, with random variations."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.robustness.family import Ink, Rng, as_ink
from benchmarks.robustness.handwriting import crop_to_ink

Points = NDArray[np.float64]
"""float64 [N, 2]: x to the right, y down; a digit has height 1."""

FRACTION_BITS = 4  # of the coordinates that OpenCV gets
POINTS_PER_SEGMENT = 12  # of a curve, between two control points
JITTER = 0.018  # standard deviation of a control point, relative to the height

# Each variant is a list of strokes. A stroke is a smooth curve through its points; a point that
# stands twice is a corner.
_Stroke = list[tuple[float, float]]
VARIANTS: dict[int, list[list[_Stroke]]] = {
    0: [
        [[(0.32, 0), (0.1, 0.15), (0, 0.5), (0.1, 0.87), (0.32, 1), (0.54, 0.87), (0.64, 0.5),
          (0.54, 0.13), (0.32, 0)]],
        [[(0.4, 0.03), (0.14, 0.12), (0.02, 0.5), (0.14, 0.9), (0.36, 1), (0.58, 0.82),
          (0.66, 0.45), (0.52, 0.1), (0.28, 0.02)]],
        [[(0.25, 0), (0.06, 0.2), (0, 0.55), (0.08, 0.9), (0.25, 1), (0.42, 0.88), (0.5, 0.5),
          (0.43, 0.12), (0.22, 0)]],
    ],
    1: [
        [[(0, 0), (0, 1)]],
        [[(0.25, 0), (0, 1)]],
        [[(0, 0.24), (0.26, 0), (0.26, 0), (0.26, 1)]],
        [[(0, 0.2), (0.24, 0), (0.24, 0), (0.24, 1)], [(0, 1), (0.48, 1)]],
    ],
    2: [
        [[(0.03, 0.22), (0.14, 0.04), (0.34, 0), (0.54, 0.1), (0.56, 0.3), (0.4, 0.58), (0, 1),
          (0, 1), (0.6, 1)]],
        [[(0, 0.2), (0.16, 0.02), (0.42, 0.02), (0.54, 0.22), (0.44, 0.52), (0.2, 0.84),
          (0.06, 0.98), (0.02, 0.86), (0.14, 0.82), (0.36, 0.97), (0.66, 0.94)]],
        [[(0.02, 0.1), (0.3, 0), (0.52, 0.16), (0.46, 0.42), (0.04, 0.98), (0.04, 0.98),
          (0.3, 0.94), (0.6, 1)]],
    ],
    3: [
        [[(0.02, 0.12), (0.26, 0), (0.5, 0.12), (0.48, 0.36), (0.2, 0.47), (0.2, 0.47),
          (0.5, 0.56), (0.58, 0.78), (0.36, 0.99), (0, 0.9)]],
        [[(0, 0), (0.54, 0), (0.54, 0), (0.22, 0.4), (0.22, 0.4), (0.48, 0.46), (0.58, 0.72),
          (0.38, 0.98), (0, 0.92)]],
        [[(0, 0.08), (0.3, 0), (0.5, 0.2), (0.22, 0.45), (0.5, 0.66), (0.44, 0.92), (0.2, 1),
          (0, 0.9)]],
    ],
    4: [
        [[(0.12, 0), (0, 0.56), (0, 0.56), (0.6, 0.56)], [(0.46, 0.08), (0.44, 1)]],
        [[(0.42, 1), (0.42, 0), (0.42, 0), (0, 0.66), (0, 0.66), (0.62, 0.66)]],
        [[(0.02, 0), (0.04, 0.4), (0.2, 0.52), (0.5, 0.44)], [(0.54, 0), (0.5, 1)]],
    ],
    5: [
        [[(0.54, 0), (0.1, 0), (0.1, 0), (0.05, 0.44), (0.05, 0.44), (0.32, 0.37), (0.56, 0.52),
          (0.56, 0.8), (0.32, 1), (0, 0.92)]],
        [[(0.1, 0.02), (0.04, 0.44), (0.04, 0.44), (0.36, 0.38), (0.56, 0.62), (0.42, 0.94),
          (0, 0.96)], [(0.1, 0.02), (0.58, 0)]],
        [[(0.6, 0.03), (0.2, 0.02), (0.12, 0.1), (0.1, 0.42), (0.36, 0.46), (0.52, 0.7),
          (0.36, 0.97), (0.02, 0.94)]],
    ],
    6: [
        [[(0.46, 0), (0.18, 0.24), (0.01, 0.62), (0.1, 0.92), (0.3, 1), (0.52, 0.86),
          (0.5, 0.62), (0.3, 0.53), (0.06, 0.7)]],
        [[(0.3, 0), (0.08, 0.4), (0.04, 0.8), (0.24, 1), (0.46, 0.86), (0.42, 0.62),
          (0.24, 0.56), (0.06, 0.72)]],
        [[(0.5, 0.08), (0.3, 0), (0.08, 0.22), (0, 0.62), (0.1, 0.92), (0.3, 1), (0.52, 0.8),
          (0.46, 0.56), (0.26, 0.48), (0.02, 0.66)]],
    ],
    7: [
        [[(0, 0), (0.56, 0), (0.56, 0), (0.2, 1)]],
        [[(0, 0), (0.56, 0), (0.56, 0), (0.22, 1)], [(0.16, 0.5), (0.56, 0.47)]],
        [[(0.02, 0.16), (0.02, 0.02), (0.02, 0.02), (0.58, 0), (0.58, 0), (0.32, 0.45),
          (0.22, 1)]],
        [[(0, 0.06), (0.24, 0.02), (0.54, 0.02), (0.5, 0.2), (0.28, 0.6), (0.2, 1)]],
    ],
    8: [
        [[(0.5, 0.1), (0.28, 0), (0.06, 0.18), (0.28, 0.44), (0.54, 0.76), (0.28, 1),
          (0.02, 0.78), (0.26, 0.46), (0.5, 0.22), (0.46, 0.08)]],
        [[(0.28, 0), (0.08, 0.1), (0.1, 0.36), (0.28, 0.45), (0.46, 0.36), (0.48, 0.1), (0.28, 0)],
         [(0.28, 0.45), (0.04, 0.6), (0.06, 0.9), (0.28, 1), (0.52, 0.9), (0.54, 0.6),
          (0.28, 0.45)]],
        [[(0.3, 0.46), (0.08, 0.26), (0.22, 0.02), (0.42, 0.06), (0.46, 0.26), (0.12, 0.6),
          (0.04, 0.84), (0.26, 1), (0.5, 0.84), (0.46, 0.62), (0.26, 0.44)]],
    ],
    9: [
        [[(0.52, 0.14), (0.3, 0), (0.06, 0.12), (0.04, 0.38), (0.24, 0.52), (0.48, 0.38),
          (0.54, 0.12), (0.54, 0.12), (0.5, 1)]],
        [[(0.54, 0.2), (0.38, 0), (0.1, 0.08), (0.04, 0.36), (0.24, 0.5), (0.48, 0.36),
          (0.54, 0.14), (0.54, 0.5), (0.42, 0.9), (0.22, 1), (0.04, 0.92)]],
        [[(0.5, 0.08), (0.22, 0.02), (0.04, 0.26), (0.2, 0.46), (0.42, 0.36), (0.52, 0.08),
          (0.52, 0.08), (0.44, 0.5), (0.2, 1)]],
    ],
}  # fmt: skip


class Pen(NamedTuple):
    """How a line is drawn."""

    width_ratio: float
    """Width relative to the height of the digit."""
    antialiased: bool
    points_per_segment: int
    """Points of the curve between two control points; a slow mouse reports few."""


def draw_digit(rng: Rng, digit: int, height: float, pen: Pen) -> Ink:
    """Draw a random variant of a digit, `height` pixels tall on average; cropped to its ink."""
    variants = VARIANTS[digit]
    strokes = variants[rng.integers(len(variants))]
    paths = [
        _jittered_path(rng, np.array(stroke, float), pen.points_per_segment) for stroke in strokes
    ]
    width = rng.uniform(0.8, 1.3)
    slant = rng.uniform(-0.1, 0.3)
    shape = np.array([[width, 0], [-slant, 1]]) * height
    return draw_paths([path @ shape for path in paths], pen.width_ratio * height, pen.antialiased)


def draw_paths(paths: list[Points], width: float, antialiased: bool = True) -> Ink:
    """Draw paths with a round pen, all in pixels; cropped to the ink."""
    thickness = max(1, round(width))
    low = np.min([path.min(axis=0) for path in paths], axis=0) - thickness - 2
    high = np.max([path.max(axis=0) for path in paths], axis=0) + thickness + 2
    size = np.ceil(high - low).astype(int)
    canvas = np.zeros((size[1], size[0]), np.uint8)
    kind = cv2.LINE_AA if antialiased else cv2.LINE_8
    fixed = [((path - low) * 2**FRACTION_BITS).round().astype(np.int32) for path in paths]
    cv2.polylines(canvas, fixed, False, 255, thickness, kind, FRACTION_BITS)
    return crop_to_ink(as_ink(canvas))


def _jittered_path(rng: Rng, points: Points, points_per_segment: int) -> Points:
    """Return a smooth curve through points that are moved at random; corners stay sharp."""
    moves = rng.normal(0, JITTER, points.shape)
    twins = np.flatnonzero((points[1:] == points[:-1]).all(axis=1)) + 1
    moves[twins] = moves[twins - 1]
    parts = np.split(points + moves, twins)
    return np.concatenate([catmull_rom(part, points_per_segment) for part in parts])


def catmull_rom(points: Points, points_per_segment: int = POINTS_PER_SEGMENT) -> Points:
    """Return a uniform Catmull-Rom spline through points: E. Catmull and R. Rom (1974)."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, points_per_segment)[:, None, None]
    spline = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    return np.asarray(spline.transpose(1, 0, 2).reshape(-1, 2))
