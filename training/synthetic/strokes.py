"""Digits and scribbles drawn with a pen: no person wrote them, and no two are the same."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from training.synthetic.ink import Gray, crop_to_ink

Path = Sequence[tuple[float, float]]
"""Where a pen goes, (x, y) from the top left (0, 0) to the bottom right (1, 1) of the digit."""

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
    ),
    (
        [[(0, 0.02), (1, 0)], [(1, 0), (0.6, 0.45), (0.35, 1)]],
        [[(0, 0.02), (1, 0)], [(1, 0), (0.4, 1)], [(0.28, 0.52), (0.9, 0.5)]],
        [[(0, 0.2), (0, 0.02)], [(0, 0.02), (1, 0)], [(1, 0), (0.55, 0.5), (0.45, 1)]],
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
    ),
)
"""Several ways to write each digit; paths that meet in a point stay together there."""

JITTER = 0.025  # of the height: the standard deviation of every point
PEN = (0.015, 0.13)  # of the height
FINGER = (0.1, 0.18)
HEIGHTS = (18.0, 90.0)


def draw_digit(digit: int, rng: np.random.Generator) -> Gray:
    """Return the ink of a digit, drawn with a round pen, a broad nib or a finger."""
    variants = DIGITS[digit]
    paths = variants[rng.integers(len(variants))]
    aspect = rng.uniform(0.25, 0.5) if digit == 1 else rng.uniform(0.45, 0.85)
    ends = np.cumsum([len(path) for path in paths])[:-1]
    points, places = np.unique(np.concatenate(paths), axis=0, return_inverse=True)
    points = points + rng.normal(0, JITTER, points.shape)
    points[:, 0] *= aspect
    points -= points.mean(axis=0)
    turn, slant = np.radians(rng.normal(0, 6)), rng.normal(0.05, 0.15)
    cos, sin = np.cos(turn), np.sin(turn)
    points = points @ np.array([[cos, sin], [-sin, cos]]) @ np.array([[1, 0], [-slant, 1]])
    curves = [smooth_curve(path) for path in np.split(points[places], ends)]
    return draw_curves(curves, rng)


def draw_scribble(rng: np.random.Generator) -> Gray:
    """Return the ink of a scribble that turns too often to be a digit."""
    count = rng.integers(1, 4)
    points = [rng.uniform(-0.5, 0.5, (rng.integers(8, 16), 2)) for _ in range(count)]
    stretch = np.array([rng.uniform(0.5, 2), 1])
    return draw_curves([smooth_curve(path) * stretch for path in points], rng)


def draw_curves(curves: Sequence[NDArray[np.float64]], rng: np.random.Generator) -> Gray:
    """Draw curves [M, 2] in units of the height with a random pen and return the ink, cropped."""
    height = np.exp(rng.uniform(*np.log(HEIGHTS)))
    kind = rng.choice(3, p=(0.6, 0.2, 0.2))
    width = max(1.0, height * np.exp(rng.uniform(*np.log(FINGER if kind == 2 else PEN))))
    every = np.concatenate(curves) * height
    low, margin = every.min(axis=0), 2 * width + 3
    size = np.ceil(np.ptp(every, axis=0) + 2 * margin).astype(int)
    ink = np.zeros(size[::-1], np.uint8)
    # A nib is a line that is drawn along the curve: broad across it, thin along it.
    thickness = 1 if kind == 1 else max(1, round(width))
    for curve in curves:
        placed = curve * height - low + margin
        if kind == 2:
            _finger(ink, placed, width / 2, rng)
        else:
            fixed = (placed * 16).round().astype(np.int32)
            cv2.polylines(ink, [fixed], False, 255, thickness, cv2.LINE_AA, shift=4)
    if kind == 1 and width >= 2:
        ink = np.asarray(cv2.dilate(ink, _nib(width, rng)), np.uint8)
    return crop_to_ink(ink)


def smooth_curve(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """A Catmull-Rom spline through the points [N, 2], as closely spaced points [M, 2]."""
    if len(points) == 2:
        return points
    first, last = 2 * points[0] - points[1], 2 * points[-1] - points[-2]
    knots = np.vstack([first, points, last])
    windows = np.stack([knots[i : len(knots) - 3 + i] for i in range(4)])
    curve: NDArray[np.float64] = np.einsum("tk,knc->ntc", _BASIS, windows).reshape(-1, 2)
    return np.vstack([curve, points[-1]])


def _finger(ink: Gray, curve: NDArray[np.float64], radius: float, rng: np.random.Generator) -> None:
    """Stamp discs along a curve; their size changes with the pressure."""
    pressure = np.interp(np.linspace(0, 3, len(curve)), range(4), rng.uniform(0.7, 1.1, 4))
    for start, end, force in zip(curve, curve[1:], pressure, strict=False):
        a, b = ((16 * point).round().astype(int).tolist() for point in (start, end))
        cv2.line(ink, a, b, 255, max(1, round(2 * radius * force)), cv2.LINE_AA, shift=4)


def _nib(width: float, rng: np.random.Generator) -> Gray:
    side = 2 * round(width / 2) + 1
    nib = np.zeros((side, side), np.uint8)
    angle = rng.uniform(0, np.pi)
    reach = np.array([np.cos(angle), np.sin(angle)]) * (side // 2)
    middle = np.array([side // 2, side // 2])
    a, b = ((middle + sign * reach).round().astype(int).tolist() for sign in (-1, 1))
    cv2.line(nib, a, b, 1, 1 + side // 6)
    return nib


_STEPS = np.linspace(0, 1, 8, endpoint=False)[:, None]
_BASIS = np.hstack([_STEPS**0, _STEPS, _STEPS**2, _STEPS**3]) @ (
    np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]) / 2
)
