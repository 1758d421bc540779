"""The numbers of the synthetic pictures."""

# Source: chosen by hand; no search for better values is on record. The models that learned from the
# pictures were compared on the validation images.
#
# Numbers are drawn uniformly from a range unless a comment says "log-uniform". Lengths are in
# pixels, angles in degrees, gray levels from 0 (black) to 255 (white). `*_prob` is a probability,
# `*_sd` the standard deviation of a normal distribution or of a Gaussian blur.

from collections.abc import Mapping
from dataclasses import dataclass, field

Range = tuple[float, float]
"""Lower and upper limit of a uniform distribution."""

Integers = tuple[int, int]
"""Limits of a uniform distribution over integers: the upper limit is excluded."""


@dataclass(frozen=True)
class PrintedRecipe:
    """Characters in the fonts of the training split."""

    font_size: int = 72  # pixels per em: digits of about 50 pixels, twice what a model sees
    height: Range = (6.0, 100.0)  # log-uniform: small sizes differ more than large ones
    upright_prob: float = 0.5  # neither slanted nor stretched
    slant: Range = (-20.0, 20.0)
    width_factor: Range = (0.75, 1.3)
    rotation_sd: float = 4.0
    weight_prob: float = 0.25  # bolder or lighter than the font
    weight: Integers = (-3, 9)  # diameter by which strokes grow or shrink, in pixels of `font_size`
    aliased_prob: float = 0.1  # without antialiasing, as on old screens and printers
    aliased_min_height: float = 16.0  # smaller digits become unreadable


@dataclass(frozen=True)
class HandwrittenRecipe:
    """MNIST digits, rewritten with another pen."""

    upscaling: int = 3
    skeleton_prob: float = 0.3  # thinned to the skeleton, then drawn with another pen
    edge_level: Range = (70.0, 170.0)  # the gray level of the edge decides how bold the digit is
    edge_sharpness: Range = (2.0, 6.0)
    bold_prob: float = 0.3
    bold_size: Integers = (2, 6)  # diameter of the dilation
    height: Range = (14.0, 80.0)  # log-uniform
    slant_sd: float = 5.0
    rotation_sd: float = 4.0
    width_factor: Range = (0.8, 1.25)
    square_prob: float = 0.08  # stretched to the shape of a form cell, as in some data sets
    square_aspect: Range = (0.7, 1.05)
    square_max_stretch: float = 2.0  # a thin 1 stays thin
    skeleton_threshold: int = 110
    skeleton_min_depth: float = 0.6  # of the largest depth nearby: removes side branches
    skeleton_min_ridge: float = 0.15  # pixels above the mean depth of the 3 x 3 neighbours
    skeleton_gap: int = 5  # gaps up to this size are closed
    skeleton_pen: Integers = (1, 8)
    skeleton_blur_sd: float = 0.8


@dataclass(frozen=True)
class StrokesRecipe:
    """Digits and scribbles drawn with a pen; fractions are of the height of the digit."""

    jitter_sd: float = 0.025  # of each point
    aspect: Range = (0.45, 1.05)
    aspect_of_one: Range = (0.25, 0.65)
    rotation_sd: float = 6.0
    shear_mean: float = 0.05
    shear_sd: float = 0.15
    scribble_strokes: Integers = (1, 4)
    scribble_points: Integers = (8, 16)  # more turns than any digit has
    scribble_stretch: Range = (0.5, 2.0)
    height: Range = (18.0, 90.0)  # log-uniform
    tool_probs: tuple[float, float, float] = (0.6, 0.2, 0.2)  # round pen, broad nib, finger
    pen_width: Range = (0.015, 0.13)  # log-uniform; of a nib, too
    finger_width: Range = (0.1, 0.18)  # log-uniform
    finger_pressure: Range = (0.7, 1.1)  # factor of the width


@dataclass(frozen=True)
class CorruptionsRecipe:
    """Corruptions of 28 x 28 images, of the kinds of MNIST-C, with random severities."""

    light_on_dark_prob: float = 0.5
    noise_sd: Range = (10.0, 60.0)  # gray levels
    shot_noise_photons: Range = (3.0, 20.0)  # for full white
    impulse_noise: Range = (0.01, 0.3)  # of the pixels
    blur_sd: Range = (0.5, 1.8)
    motion_blur_reach: Range = (1.2, 2.8)  # to both sides
    glass_blur_sd: Range = (0.3, 0.7)  # displacement of each pixel
    stripe_start: Integers = (0, 24)
    stripe_width: Integers = (1, 17)
    stripe_inside_prob: float = 0.5  # otherwise everything outside of the stripe is inverted
    stripe_outside_min_width: int = 8  # narrower stripes are always inverted themselves
    line_width: Integers = (1, 4)
    line_dotted_prob: float = 0.5
    line_dot: Integers = (1, 4)
    zigzag_points: Integers = (4, 15)
    zigzag_ends: Range = (4.0, 24.0)
    zigzag_amplitude: Range = (1.0, 3.0)
    zigzag_width: Integers = (1, 3)
    spatter_blur_sd: float = 1.0
    spatter_threshold: Range = (0.5, 0.9)  # of blurred normal noise
    spatter_light_prob: float = 0.6
    fog_density: Range = (0.2, 0.5)
    fog_grid: Integers = (2, 6)  # independent values per axis
    fog_thinnest: float = 0.4  # of the density
    low_contrast: Range = (0.2, 0.7)
    low_contrast_paper: Range = (0.0, 70.0)
    edges_threshold: Range = (30.0, 120.0)  # Canny's lower one; the upper one is twice as high
    edges_blur_sd: Range = (0.3, 1.3)  # before the detection
    edges_soften_sd: Range = (0.1, 0.6)  # after it
    rotation: Range = (-30.0, 30.0)
    scale: Range = (0.5, 1.1)
    axis_scale: Range = (0.85, 1.15)  # factor of the scale, for each axis
    shear: Range = (-0.4, 0.4)
    shear_max_rotation: float = 0.3  # radians; shear and a larger rotation can change the digit
    shift: Range = (-2.0, 2.0)


@dataclass(frozen=True)
class ClutterRecipe:
    """What is on the paper besides the digit; fractions are of the height of the digit."""

    squared_prob: float = 0.08
    ruled_prob: float = 0.12
    cell_prob: float = 0.12  # the cell of a form
    neighbour_prob: float = 0.13  # a part of the next digit
    tilt_sd: float = 1.0
    coverage: Range = (0.15, 0.7)
    line_width: Range = (0.01, 0.04)
    pitch: Range = (1.1, 1.8)
    min_gap: int = 4
    on_line_prob: float = 0.85  # most people write above the line
    height_above_line: Range = (0.03, 0.2)
    cell_clearance: int = 3
    cell_margin: Range = (0.0, 0.6)  # of the room between digit and border
    neighbour_gap: Range = (0.3, 0.6)  # of the longer side of the digit
    neighbour_max_shown: float = 0.7  # of its width: more would be a second digit


@dataclass(frozen=True)
class CameraRecipe:
    """Paper, light, blur, noise and compression."""

    max_side: int = 128  # larger pictures only take longer
    margins: tuple[Range, ...] = ((0.0, 0.06), (0.1, 0.5), (0.4, 1.2))  # tight, usual, loose
    """Paper on each side, as a fraction of the longer side of the digit."""
    margin_probs: tuple[float, ...] = (0.15, 0.6, 0.25)
    min_margin_limit: float = 0.15  # allowed even if the picture gets larger than `max_side`
    white_paper_prob: float = 0.4
    paper: Range = (140.0, 255.0)
    full_contrast_prob: float = 0.4
    contrast: Range = (0.35, 1.0)
    rough_prob: float = 0.5  # photographs and scans; the others are as clean as drawings
    effect_prob: float = 0.3  # of a rough picture, for each effect independently
    light_on_dark_prob: float = 0.3
    darkest_corner: Range = (0.5, 0.95)
    texture_depth: Range = (0.01, 0.06)
    texture_grid: Integers = (8, 32)  # independent values per axis
    shadow_prob: float = 0.15
    shadow_edge: Range = (1.0, 12.0)  # softness
    shadow_offset: Range = (-0.5, 0.5)  # from the middle, of the shorter side of the picture
    shadow_depth: Range = (0.1, 0.4)
    blur_sd: Range = (0.4, 2.0)
    blur_limit: int = 30  # the standard deviation is at most the shorter side divided by this
    blur_min_sd: float = 0.3
    noise_sd: Range = (0.01, 0.12)  # of the contrast, so that the digit stays readable
    jpeg_quality: Integers = (25, 90)


@dataclass(frozen=True)
class RowRecipe:
    """Digits in a row."""

    handwritten_prob: float = 0.5
    digits: Integers = (2, 4)
    height: Range = (16.0, 36.0)
    height_factor: Range = (0.9, 1.1)  # of each digit
    gap: Range = (-0.2, 0.35)  # of the height
    padding: int = 5  # a digit that touches the border would count as clutter


@dataclass(frozen=True)
class NonDigitsRecipe:
    """Letters, symbols, shapes, scribbles, rows of digits, textures and empty form cells."""

    textures_and_cells_prob: float = 0.15
    row_prob: float = 0.3
    shape_stretch: Range = (0.6, 1.4)
    shape_bend_sd: float = 0.15
    texture_side: Integers = (24, 100)
    texture_grid: Integers = (3, 24)  # independent values per axis
    texture_noise_sd: Range = (0.0, 30.0)  # gray levels
    texture_binary_prob: float = 0.4
    texture_threshold: Range = (90.0, 200.0)
    cell_side: Integers = (32, 96)
    cell_paper: Integers = (180, 256)
    cell_ink: Integers = (0, 130)
    cell_line: Integers = (1, 3)
    cell_max_margin: int = 6  # the side divided by this
    cell_specks: Integers = (1, 6)
    cell_speck_radius: Integers = (1, 4)
    cell_blur_sd: Range = (0.3, 1.0)


@dataclass(frozen=True)
class SyntheticRecipe:
    """The synthetic pictures: how many of each kind, and how each kind is drawn."""

    source_probs: Mapping[str, float] = field(
        default_factory=lambda: {
            "printed": 0.26,  # common in practice, absent from MNIST
            "handwritten": 0.26,  # MNIST digits as cameras and scanners see them
            "strokes": 0.12,  # shapes of digits that the writers of MNIST did not use
            "corrupted": 0.17,  # noise and lines that preprocessing cannot remove
            "in_number": 0.07,  # with the ink of neighbours that the detector has not removed
            "non_digit": 0.12,  # more would make the model doubt digits
        }
    )
    min_similarity: float = 0.8
    """Cosine similarity of ink and preprocessed image; below it the label could be wrong."""
    min_similarity_corrupted: float = 0.5
    """Corrupted digits look different, which is what the model has to learn."""
    similarity_blur_sd: float = 1.5
    printed: PrintedRecipe = PrintedRecipe()
    handwritten: HandwrittenRecipe = HandwrittenRecipe()
    strokes: StrokesRecipe = StrokesRecipe()
    corruptions: CorruptionsRecipe = CorruptionsRecipe()
    clutter: ClutterRecipe = ClutterRecipe()
    camera: CameraRecipe = CameraRecipe()
    row: RowRecipe = RowRecipe()
    non_digits: NonDigitsRecipe = NonDigitsRecipe()


SYNTHETIC = SyntheticRecipe()
