"""Pictures without a digit or with several digits, for outlier exposure."""

from collections.abc import Callable

import cv2
import numpy as np

from training.data import Digits
from training.recipes.synthetic import SYNTHETIC
from training.synthetic.camera import photograph
from training.synthetic.ink import Gray, smooth_field
from training.synthetic.printed import draw_printed
from training.synthetic.row import draw_row, join
from training.synthetic.strokes import draw_curves, draw_scribble, smooth_curve

RECIPE = SYNTHETIC.non_digits

# Without characters that look like a digit, such as O, l and S.
LETTERS = "AEFHKMNPRTUVWXadehkmnruvwx"
SYMBOLS = "#%@&*+=<>^~?-"

Points = tuple[tuple[float, float], ...]

SHAPES: tuple[tuple[Points, ...], ...] = (
    (((0, 1), (0.5, 0)), ((0.5, 0), (1, 1)), ((1, 1), (0, 1))),  # a triangle
    (((0, 0), (1, 1)), ((0, 1), (1, 0))),  # a cross
    (((0.5, 0), (0.5, 1)), ((0, 0.5), (1, 0.5))),  # plus
    (((0, 0.6), (0.35, 1)), ((0.35, 1), (1, 0))),  # a check mark
    (((0, 0.5), (1, 0.5)), ((0.7, 0.2), (1, 0.5)), ((1, 0.5), (0.7, 0.8))),  # an arrow
    (((0, 0), (1, 0)), ((1, 0), (1, 1)), ((1, 1), (0, 1)), ((0, 1), (0, 0)), ((0, 0), (1, 1))),
    (
        *(((0, 0.4), (0.5, 0)), ((0.5, 0), (1, 0.4)), ((0, 0.4), (0, 1)), ((1, 0.4), (1, 1))),
        *(((0, 1), (1, 1)), ((0, 0.4), (1, 0.4))),
    ),  # a house
    (
        *(((0.2, 1), (0.5, 0)), ((0.5, 0), (0.8, 1)), ((0.8, 1), (0, 0.38))),
        *(((0, 0.38), (1, 0.38)), ((1, 0.38), (0.2, 1))),
    ),  # a star
    (
        ((0.5, 0), (0.15, 0.15), (0, 0.5), (0.15, 0.85), (0.5, 1)),
        ((0.5, 0), (0.85, 0.15), (1, 0.5), (0.85, 0.85), (0.5, 1)),
        *(((0.3, 0.3), (0.3, 0.4)), ((0.7, 0.3), (0.7, 0.4))),
        ((0.25, 0.65), (0.5, 0.8), (0.75, 0.65)),
    ),  # a face
    (((0, 0.5), (0.25, 0), (0.5, 0.5), (0.75, 1), (1, 0.5)),),  # a wave
    (((0.5, 0.25), (0.2, 0), (0, 0.3), (0.5, 1)), ((0.5, 0.25), (0.8, 0), (1, 0.3), (0.5, 1))),
)
"""Shapes of straight and curved lines; the last is a heart."""


def draw_non_digit(digits: Digits, rng: np.random.Generator) -> tuple[Gray, Gray | None]:
    """Return a picture [H, W], 0 black to 255 white, and its ink; textures have no ink.

    D. Hendrycks, M. Mazeika and T. Dietterich, "Deep Anomaly Detection with Outlier Exposure" (ICLR
    2019).
    """
    if rng.random() < RECIPE.textures_and_cells_prob:
        return (texture, empty_form_cell)[rng.integers(2)](rng), None
    row = rng.random() < RECIPE.row_prob
    if row:
        ink = join(draw_row(digits, rng), rng)
    else:
        ink = NON_DIGITS[rng.integers(len(NON_DIGITS))](rng)
    return photograph(ink, rng), ink


def letter(rng: np.random.Generator) -> Gray:
    return draw_printed(LETTERS[rng.integers(len(LETTERS))], rng)


def symbol(rng: np.random.Generator) -> Gray:
    return draw_printed(SYMBOLS[rng.integers(len(SYMBOLS))], rng)


def shape(rng: np.random.Generator) -> Gray:
    stretch = np.array([rng.uniform(*RECIPE.shape_stretch), 1])
    paths = SHAPES[rng.integers(len(SHAPES))]
    bend = rng.normal(0, RECIPE.shape_bend_sd, (2, 2)) + np.eye(2)
    return draw_curves([smooth_curve(np.array(path)) * stretch @ bend for path in paths], rng)


def texture(rng: np.random.Generator) -> Gray:
    """Coarse or fine noise, gray or binary."""
    height, width = (int(side) for side in rng.integers(*RECIPE.texture_side, 2))
    noise = smooth_field((height, width), int(rng.integers(*RECIPE.texture_grid)), 0, 255, rng)
    noise += rng.normal(0, rng.uniform(*RECIPE.texture_noise_sd), noise.shape).astype(np.float32)
    if rng.random() < RECIPE.texture_binary_prob:
        threshold = rng.uniform(*RECIPE.texture_threshold)
        noise = np.where(noise > threshold, np.float32(255), np.float32(0))
    return np.clip(noise, 0, 255).astype(np.uint8)


def empty_form_cell(rng: np.random.Generator) -> Gray:
    """An empty cell of a form with specks of dirt."""
    side = int(rng.integers(*RECIPE.cell_side))
    paper: Gray = np.full((side, side), int(rng.integers(*RECIPE.cell_paper)), np.uint8)
    level, line = int(rng.integers(*RECIPE.cell_ink)), int(rng.integers(*RECIPE.cell_line))
    margin = int(rng.integers(0, side // RECIPE.cell_max_margin))
    corner = side - 1 - margin
    cv2.rectangle(paper, (margin, margin), (corner, corner), level, line)
    specks = (rng.integers(*RECIPE.cell_specks), 2)
    for x, y in rng.integers(margin + 3, side - margin - 3, specks).tolist():
        axes = rng.integers(*RECIPE.cell_speck_radius, 2).tolist()
        cv2.ellipse(paper, (x, y), axes, rng.uniform(0, 180), 0, 360, level, -1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(paper, (0, 0), rng.uniform(*RECIPE.cell_blur_sd)), np.uint8)


NON_DIGITS: tuple[Callable[[np.random.Generator], Gray], ...] = (
    *(letter, letter, symbol, draw_scribble, shape),
)
"""Drawn from uniformly; letters are the most common non-digits and are listed twice."""
