"""Digits and scribbles drawn along hand-made curves with a pen, a nib or a finger."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from training.recipes.synthetic import SYNTHETIC
from training.synthetic.ink import Gray, crop_to_ink, log_uniform

RECIPE = SYNTHETIC.strokes

CURVE_STEPS = 8
"""Points per segment of a curve."""

SUBPIXEL_BITS = 4
"""Fractional bits of the coordinates that OpenCV draws."""

Path = Sequence[tuple[float, float]]
"""Points (x, y) of a stroke, from the top left (0, 0) to the bottom right (1, 1) of the digit."""

_RING: Path = [
    *[(0.5, 0), (0.12, 0.17), (0, 0.5), (0.12, 0.83), (0.5, 1), (0.88, 0.83), (1, 0.5)],
    *[(0.88, 0.17), (0.5, 0)],
]
_BOWL: Path = [(0.42, 0.42), (0.88, 0.53), (0.95, 0.8), (0.5, 1), (0.03, 0.88)]
_LOOP: Path = [(0.9, 0.12), (0.5, 0), (0.08, 0.24), (0.35, 0.5), (0.86, 0.32)]

DIGITS: tuple[tuple[Sequence[Path], ...], ...] = (
    (
        [_RING],
        [_RING, [(0.85, 0.12), (0.15, 0.88)]],
        [_RING],
        [[(0.62, 0.03), *_RING[1:-1], (0.42, 0.03)]],
    ),
    (
        [[(0.5, 0), (0.5, 1)]],
        [[(0.22, 0.25), (0.55, 0)], [(0.55, 0), (0.55, 1)]],
        [[(0.22, 0.25), (0.5, 0)], [(0.5, 0), (0.5, 1)], [(0.15, 1), (0.85, 1)]],
        [[(0, 0.35), (0.3, 0.2), (0.62, 0)], [(0.62, 0), (0.62, 1)]],  # a long flag
        [[(0.05, 0.5), (0.4, 0.1), (0.62, 0.02), (0.62, 0.25), (0.5, 1)]],  # without a corner
        [
            *[[(0.25, 0.3), (0.5, 0.04), (0.6, 0.12), (0.5, 0.86), (0.36, 0.96), (0.3, 0.84)]],
            *[[(0.3, 0.84), (0.5, 0.84), (0.8, 0.98)]],
        ],  # a loop at the foot
    ),
    (
        [
            [(0.05, 0.25), (0.2, 0.05), (0.5, 0), (0.88, 0.14), (0.86, 0.38), (0, 1)],
            [(0, 1), (1, 1)],
        ],
        [
            *[[(0.05, 0.25), (0.3, 0.02), (0.72, 0.05), (0.85, 0.3), (0.55, 0.7), (0.15, 0.96)]],
            *[[(0.15, 0.96), (0.02, 0.86), (0.18, 0.77), (0.5, 0.94), (1.0, 0.97)]],
        ],
    ),
    (
        [[(0.08, 0.12), (0.45, 0), (0.85, 0.15), (0.76, 0.36), (0.42, 0.42)], _BOWL],
        [[(0.05, 0), (0.9, 0)], [(0.9, 0), (0.42, 0.42)], _BOWL],
    ),
    (
        [[(0.25, 0), (0.03, 0.6)], [(0.03, 0.6), (1, 0.58)], [(0.75, 0.15), (0.7, 1)]],
        [[(0.7, 0), (0, 0.68)], [(0, 0.68), (1, 0.68)], [(0.7, 0), (0.7, 1)]],
        [[(0.1, 0), (0.06, 0.38), (0.3, 0.52), (0.85, 0.45)], [(0.88, 0), (0.82, 1)]],
    ),
    (
        [
            *[[(0.9, 0.0), (0.2, 0.0)], [(0.2, 0.0), (0.12, 0.45)]],
            *[[(0.12, 0.45), (0.5, 0.37), (0.95, 0.63), (0.68, 0.96), (0.03, 0.93)]],
        ],
        [[(0.9, 0.0), (0.25, 0.03), (0.16, 0.4), (0.62, 0.42), (0.95, 0.7), (0.6, 1), (0.03, 0.9)]],
    ),
    (
        [
            *[[(0.8, 0), (0.35, 0.22), (0.05, 0.66), (0.25, 0.97), (0.68, 0.97), (0.9, 0.73)]],
            *[[(0.9, 0.73), (0.6, 0.52), (0.12, 0.68)]],
        ],
        [[(0.5, 0), (0.12, 0.4), (0.03, 0.75), (0.45, 1), (0.9, 0.8), (0.62, 0.56), (0.07, 0.7)]],
        [
            *[[(0.95, 0.1), (0.6, 0), (0.2, 0.2), (0.02, 0.62), (0.2, 0.95), (0.65, 1)]],
            *[[(0.65, 1), (0.98, 0.8), (0.8, 0.56), (0.4, 0.54), (0.08, 0.72)]],
        ],  # a hook at the top
    ),
    (
        [[(0, 0.02), (1, 0)], [(1, 0), (0.6, 0.45), (0.35, 1)]],
        [[(0, 0.02), (1, 0)], [(1, 0), (0.4, 1)], [(0.28, 0.52), (0.9, 0.5)]],
        [[(0, 0.2), (0, 0.02)], [(0, 0.02), (1, 0)], [(1, 0), (0.55, 0.5), (0.45, 1)]],
        [
            [(0, 0.2), (0.02, 0.02)],
            [(0.02, 0.02), (1, 0)],
            [(1, 0), (0.45, 1)],
            [(0.3, 0.5), (0.9, 0.48)],
        ],
    ),
    (
        [
            *[[(0.85, 0.12), (0.5, 0), (0.14, 0.17), (0.42, 0.45), (0.84, 0.68), (0.84, 0.9)]],
            *[[(0.84, 0.9), (0.5, 1), (0.12, 0.86), (0.26, 0.62), (0.72, 0.36), (0.85, 0.12)]],
        ],
        [
            *[[(0.5, 0.46), (0.18, 0.36), (0.18, 0.1), (0.5, 0), (0.82, 0.1), (0.82, 0.36)]],
            *[[(0.82, 0.36), (0.5, 0.46), (0.05, 0.6), (0.08, 0.88), (0.5, 1), (0.92, 0.88)]],
            *[[(0.92, 0.88), (0.95, 0.6), (0.5, 0.46)]],
        ],
    ),
    (
        [_LOOP, [(0.9, 0.12), (0.86, 0.32), (0.8, 1)]],
        [_LOOP, [(0.9, 0.12), (0.93, 0.5), (0.65, 0.92), (0.15, 1)]],
        [_LOOP, [(0.9, 0.12), (0.97, 0.6), (0.8, 0.95), (0.4, 1), (0.08, 0.82)]],  # a hook
    ),
)
"""Several ways to write each digit; paths that share a point stay connected there."""


def draw_digit(digit: int, rng: np.random.Generator) -> Gray:
    """Return the ink of a digit, drawn with a round pen, a broad nib or a finger."""
    variants = DIGITS[digit]
    paths = variants[rng.integers(len(variants))]
    aspect = rng.uniform(*(RECIPE.aspect_of_one if digit == 1 else RECIPE.aspect))
    ends = np.cumsum([len(path) for path in paths])[:-1]
    points, places = np.unique(np.concatenate(paths), axis=0, return_inverse=True)
    points = points + rng.normal(0, RECIPE.jitter_sd, points.shape)
    points[:, 0] *= aspect
    points -= points.mean(axis=0)
    rotation = np.radians(rng.normal(0, RECIPE.rotation_sd))
    shear = rng.normal(RECIPE.shear_mean, RECIPE.shear_sd)
    cos, sin = np.cos(rotation), np.sin(rotation)
    points = points @ np.array([[cos, sin], [-sin, cos]]) @ np.array([[1, 0], [-shear, 1]])
    return draw_curves([smooth_curve(path) for path in np.split(points[places], ends)], rng)


def draw_scribble(rng: np.random.Generator) -> Gray:
    """Return the ink of a scribble that turns too often to be a digit."""
    points = [
        rng.uniform(-0.5, 0.5, (rng.integers(*RECIPE.scribble_points), 2))
        for _ in range(rng.integers(*RECIPE.scribble_strokes))
    ]
    stretch = np.array([rng.uniform(*RECIPE.scribble_stretch), 1])
    return draw_curves([smooth_curve(path) * stretch for path in points], rng)


def draw_curves(curves: Sequence[NDArray[np.float64]], rng: np.random.Generator) -> Gray:
    """Draw curves [M, 2], in units of the height, with a random tool; return the cropped ink."""
    height = log_uniform(RECIPE.height, rng)
    tool = ("pen", "nib", "finger")[rng.choice(3, p=RECIPE.tool_probs)]
    widths = RECIPE.finger_width if tool == "finger" else RECIPE.pen_width
    width = max(1.0, height * log_uniform(widths, rng))
    points = np.concatenate(curves) * height
    low, margin = points.min(axis=0), 2 * width + 3
    size = np.ceil(np.ptp(points, axis=0) + 2 * margin).astype(int)
    ink = np.zeros(size[::-1], np.uint8)
    # A nib is a short line, which the dilation drags along a thin curve.
    thickness = 1 if tool == "nib" else max(1, round(width))
    for curve in curves:
        placed = curve * height - low + margin
        if tool == "finger":
            _draw_finger(ink, placed, width / 2, rng)
        else:
            cv2.polylines(
                ink, [_fixed_point(placed)], False, 255, thickness, cv2.LINE_AA, SUBPIXEL_BITS
            )
    if tool == "nib" and width >= 2:
        ink = np.asarray(cv2.dilate(ink, _nib(width, rng)), np.uint8)
    return crop_to_ink(ink)


def smooth_curve(points: NDArray[np.float64], steps: int = CURVE_STEPS) -> NDArray[np.float64]:
    """Return a Catmull-Rom spline through points [N, 2] as points [M, 2]."""
    if len(points) == 2:
        return points
    first, last = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    knots = np.vstack([first, points, last])
    windows = np.stack([knots[i : len(knots) - 3 + i] for i in range(4)])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    basis = np.hstack([t**0, t, t**2, t**3]) @ CATMULL_ROM
    curve: NDArray[np.float64] = np.einsum("tk,knc->ntc", basis, windows).reshape(-1, 2)
    return np.vstack([curve, points[-1]])


CATMULL_ROM = np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
"""Maps four neighbouring points to the coefficients of the segment between the middle two."""


def _draw_finger(
    ink: Gray, curve: NDArray[np.float64], radius: float, rng: np.random.Generator
) -> None:
    """Draw a curve whose width changes with the pressure."""
    knots = rng.uniform(*RECIPE.finger_pressure, 4)
    pressure = np.interp(np.linspace(0, 3, len(curve)), range(4), knots)
    points = _fixed_point(curve).tolist()
    for start, end, force in zip(points, points[1:], pressure, strict=False):
        width = max(1, round(2 * radius * force))
        cv2.line(ink, start, end, 255, width, cv2.LINE_AA, SUBPIXEL_BITS)


def _fixed_point(curve: NDArray[np.float64]) -> NDArray[np.int32]:
    return np.asarray((curve * 2**SUBPIXEL_BITS).round(), np.int32)


def _nib(width: float, rng: np.random.Generator) -> Gray:
    """Return a line at a random angle as a structuring element."""
    middle = round(width / 2)
    side = 2 * middle + 1
    nib = np.zeros((side, side), np.uint8)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * middle
    start, end = ((middle + sign * reach).round().astype(int).tolist() for sign in (-1, 1))
    cv2.line(nib, start, end, 1, 1 + side // 6)
    return nib
