"""`training/`: augmentation, synthetic pictures and calibration, against SciPy and scikit-image."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("training", reason="comes with a checkout only")
pytest.importorskip("cv2", reason="needs training/requirements.txt")
pytest.importorskip("skimage", reason="needs the extra test")

from PIL import Image
from scipy import interpolate, ndimage, optimize, special
from skimage import measure, transform
from skimage.morphology import skeletonize

from mnist_cli.calibration import Calibration
from mnist_cli.prediction import digitness
from tests.running import SAMPLES
from training import augment, make_samples
from training.calibrate import fit_calibration
from training.data import Digits
from training.recipes.dataset import DATASET, Augmentation
from training.recipes.models import CALIBRATION
from training.recipes.synthetic import SYNTHETIC
from training.synthetic import (
    camera,
    corruptions,
    generate,
    handwritten,
    paper_clutter,
    printed,
)
from training.synthetic.generate import ink_similarity
from training.synthetic.ink import crop_to_ink, log_uniform, smooth_field, transform_ink
from training.synthetic.row import draw_row, join
from training.synthetic.strokes import DIGITS, draw_digit, draw_scribble, smooth_curve

Gray = npt.NDArray[np.uint8]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def ink(digits: Gray) -> Gray:
    """100 MNIST digits [100, 28, 28], ink 255."""
    return 255 - digits[::50]


def test_augmentation_decays_in_the_last_quarter_of_the_copies() -> None:
    strengths = [DATASET.augmentation_strength(copy) for copy in range(60)]
    assert strengths[:45] == [1.0] * 45
    np.testing.assert_allclose(strengths[45:], np.linspace(0.5, 1, 16)[14::-1])
    assert DATASET.augmentation.scaled(1) == DATASET.augmentation
    assert DATASET.augmentation.scaled(0.5).rotation == DATASET.augmentation.rotation / 2


def test_distort_rotates_scales_and_shifts(ink: Gray) -> None:
    limits = Augmentation(rotation=20, scale=0.1, shear=0, shift=2, elastic=0)
    distorted = augment.distort(ink, limits, np.random.default_rng(1))
    draws = np.random.default_rng(1)
    angles = np.radians(draws.uniform(-20, 20, len(ink)))
    widths, heights = 1 + draws.uniform(-0.1, 0.1, (2, len(ink)))
    draws.uniform(0, 0, len(ink))
    shifts = draws.uniform(-2, 2, (len(ink), 2))
    middle = transform.AffineTransform(translation=(-13.5, -13.5))
    for index, image in enumerate(ink):
        scaled = transform.AffineTransform(scale=(widths[index], heights[index]))
        moved = transform.AffineTransform(rotation=angles[index], translation=shifts[index] + 13.5)
        expected = transform.warp(image.astype(float), middle + scaled + moved, order=1)
        # The coordinates of OpenCV are multiples of 1/32 pixel.
        assert np.abs(expected - distorted[index]).max() < 16
        assert np.abs(expected - distorted[index]).mean() < 1


def test_elastic_displacements_are_smooth(rng: np.random.Generator) -> None:
    limits = Augmentation(elastic=0.8, elastic_grid=5)
    displacements = augment._elastic(1000, limits, rng)
    assert displacements.shape == (2, 1000, 28, 28)
    assert abs(displacements.mean()) < 0.02
    assert 0.5 < displacements.std() < 0.8
    assert np.abs(np.diff(displacements, axis=3)).max() < 1.5


def test_crop_to_ink(ink: Gray) -> None:
    for image in ink:
        [box] = ndimage.find_objects((image > 40).astype(int))
        assert np.array_equal(crop_to_ink(image, 40), image[box])
    blank = np.zeros((5, 7), np.uint8)
    assert crop_to_ink(blank) is blank


@pytest.mark.parametrize("rotation", [-30, 0, 12, 90])
@pytest.mark.parametrize("scale", [0.5, 2.5])
def test_transform_ink_scales_and_rotates(ink: Gray, rotation: float, scale: float) -> None:
    correlations = []
    for image in map(crop_to_ink, ink[::10]):
        image = image[: len(image) // 2 * 2, : image.shape[1] // 2 * 2]
        padded = np.pad(image.astype(float), 4)
        if scale < 1:
            scaled = transform.downscale_local_mean(padded, (2, 2))
        else:
            scaled = transform.rescale(padded, scale, order=1)
        expected = transform.rotate(scaled, rotation, resize=True)
        expected = crop_to_ink(expected.round().astype(np.uint8), 8)
        moved = transform_ink(image, scale * len(image), rotation, 0)
        assert np.abs(np.subtract(moved.shape, expected.shape)).max() <= 3
        same_size = transform.resize(moved.astype(float), expected.shape)
        correlations.append(np.corrcoef(same_size.ravel(), expected.ravel())[0, 1])
    # In small images, parts of a pixel matter.
    assert np.median(correlations) > (0.97 if scale > 1 else 0.8)


def test_transform_ink_slants_to_the_right_and_stretches() -> None:
    bar = np.full((100, 9), 255, np.uint8)
    [slanted] = measure.regionprops((transform_ink(bar, 100, 0, 20) > 127).astype(int))
    assert np.degrees(slanted.orientation) == pytest.approx(-20, abs=1)
    stretched = transform_ink(bar, 100, 0, 0, width_factor=2)
    assert (stretched > 127).sum(axis=1).max() == pytest.approx(18, abs=1)


def test_smooth_field_interpolates_linearly() -> None:
    field = smooth_field((40, 60), 5, 10, 20, np.random.default_rng(3))
    grid = np.random.default_rng(3).uniform(10, 20, (5, 5))
    expected = transform.resize(grid, (40, 60), order=1, mode="edge", anti_aliasing=False)
    np.testing.assert_allclose(field, expected, atol=1e-3)


def test_log_uniform(rng: np.random.Generator) -> None:
    values = [log_uniform((4, 100), rng) for _ in range(4000)]
    assert 4 <= min(values) < max(values) <= 100
    assert np.median(values) == pytest.approx(20, rel=0.1)


def test_smooth_curve_is_a_catmull_rom_spline(rng: np.random.Generator) -> None:
    points = rng.uniform(0, 1, (6, 2))
    ends = [points[1] - points[0]], [points[-1] - points[-2]]
    tangents = np.concatenate([ends[0], (points[2:] - points[:-2]) / 2, ends[1]])
    spline = interpolate.CubicHermiteSpline(range(6), points, tangents)
    np.testing.assert_allclose(smooth_curve(points), spline(np.linspace(0, 5, 41)), atol=1e-12)
    assert smooth_curve(points[:2]) is not None and len(smooth_curve(points[:2])) == 2


@pytest.mark.parametrize("digit", range(10))
def test_drawn_digits_are_connected(digit: int, rng: np.random.Generator) -> None:
    points = np.concatenate([path for variant in DIGITS[digit] for path in variant])
    assert points.min() >= 0 and points.max() <= 1
    parts = [measure.label(draw_digit(digit, rng) > 0).max() for _ in range(100)]
    assert np.mean(np.array(parts) == 1) > 0.9


def test_scribbles_touch_every_border_of_their_picture(rng: np.random.Generator) -> None:
    for _ in range(20):
        scribble = draw_scribble(rng)
        assert scribble[0].any() and scribble[-1].any()
        assert scribble[:, 0].any() and scribble[:, -1].any()


def test_redrawn_digits_follow_the_skeleton(
    ink: Gray, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(handwritten.RECIPE, skeleton_pen=(1, 2))
    monkeypatch.setattr(handwritten, "RECIPE", recipe)
    for image in ink:
        large = np.pad(image.repeat(3, axis=0).repeat(3, axis=1), 6)
        line = handwritten._redraw_skeleton(large, rng) > 60
        blurred = ndimage.gaussian_filter(large.astype(float), 1.5)
        skeleton = skeletonize(blurred > recipe.skeleton_threshold)
        assert np.median(ndimage.distance_transform_edt(~skeleton)[line]) <= 2
        assert np.median(ndimage.distance_transform_edt(~line)[skeleton]) <= 2


def test_handwritten_digits_keep_their_shape(
    ink: Gray, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(
        handwritten.RECIPE, height=(60, 60), slant_sd=0, rotation_sd=0, width_factor=(1, 1)
    )
    monkeypatch.setattr(handwritten, "RECIPE", recipe)
    correlations = []
    for image in ink:
        drawn = handwritten.draw_handwritten(image, rng)
        assert len(drawn) == pytest.approx(60, abs=2)
        cropped = crop_to_ink(image, 100).astype(float)
        resized = transform.resize(drawn.astype(float), cropped.shape, anti_aliasing=True)
        correlations.append(np.corrcoef(resized.ravel(), cropped.ravel())[0, 1])
    assert np.median(correlations) > 0.7


def test_square_digits_are_stretched_to_the_shape_of_a_cell(
    ink: Gray, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(
        handwritten.RECIPE, height=(60, 60), slant_sd=0, rotation_sd=0, square_prob=1
    )
    monkeypatch.setattr(handwritten, "RECIPE", recipe)
    for image in ink:
        height, width = crop_to_ink(image, 100).shape
        drawn = handwritten.draw_handwritten(image, rng)
        if width * recipe.square_max_stretch > height:
            assert 0.6 < drawn.shape[1] / drawn.shape[0] < 1.2
        else:
            assert drawn.shape[1] < drawn.shape[0]


def test_changed_weights_keep_strokes_and_holes() -> None:
    ring = np.zeros((60, 40), np.uint8)
    ring[5:55, 5:35] = 255
    ring[10:50, 10:30] = 0
    wider, thinner = printed._change_weight(ring, 4), printed._change_weight(ring, -2)
    assert (wider > 0).sum() > (ring > 0).sum() > (thinner > 0).sum()
    for changed in (wider, thinner):
        assert measure.euler_number(np.pad(changed, 1) > 127) == 0  # a part with a hole
    for change in (-6, 30):  # it would vanish, and it would be filled
        np.testing.assert_array_equal(printed._change_weight(ring, change), ring)


def test_rows_show_their_digits_side_by_side(ink: Gray, rng: np.random.Generator) -> None:
    digits = Digits(ink, np.arange(100) % 10)
    for _ in range(50):
        row = draw_row(digits, rng)
        assert 2 <= len(row) <= 3
        joined = join(row, rng)
        assert max(len(digit.ink) for digit in row) <= len(joined) - 2 * SYNTHETIC.row.padding
        most = max((digit.ink > 0).sum() for digit in row)
        assert most <= (joined > 0).sum() <= sum((digit.ink > 0).sum() for digit in row)


def test_digits_of_numbers_are_cropped_by_the_detector(
    ink: Gray, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = list(SYNTHETIC.source_probs)
    only = tuple(float(name == "in_number") for name in names)
    monkeypatch.setattr(generate, "_SOURCE_PROBS", only)
    digits = Digits(ink, np.full(100, 5, np.int64))
    samples = [generate._draw_sample(digits, rng) for _ in range(40)]
    similar = 0
    for sample in samples:
        assert sample.place and 0 <= sample.place[0] < sample.place[1] <= 3
        crop = generate._crop(sample)
        if crop is not None and sample.ink is not None:
            similar += (
                ink_similarity((255 - crop).astype(np.uint8), sample.ink) >= sample.min_similarity
            )
    assert similar > 30


def test_gaussian_blur(ink: Gray) -> None:
    image = ink[0].astype(np.float32)
    blurred = corruptions.gaussian_blur(image, np.random.default_rng(2))
    sd = np.random.default_rng(2).uniform(*SYNTHETIC.corruptions.blur_sd)
    expected = ndimage.gaussian_filter(image, sd, mode="mirror")
    np.testing.assert_allclose(blurred, expected, atol=0.5)


@pytest.mark.parametrize("blur", [corruptions.motion_blur, corruptions.gaussian_blur])
def test_blur_keeps_the_amount_of_ink(
    blur: corruptions.Corruption, ink: Gray, rng: np.random.Generator
) -> None:
    for image in ink.astype(np.float32):
        assert blur(image, rng).sum() == pytest.approx(image.sum(), rel=0.02)


def test_inverted_stripe_keeps_or_inverts_whole_rows_or_columns(
    ink: Gray, rng: np.random.Generator
) -> None:
    for image in ink.astype(np.float32):
        corrupted = corruptions.inverted_stripe(image, rng)
        same, inverted = corrupted == image, corrupted == 255 - image
        assert any(
            np.all(same.all(axis=axis) | inverted.all(axis=axis))
            and np.abs(np.diff(same.all(axis=axis).astype(int))).sum() <= 2
            for axis in (0, 1)
        )


@pytest.mark.parametrize("stroke", [corruptions.line, corruptions.zigzag])
def test_lines_only_add_ink(
    stroke: corruptions.Corruption, ink: Gray, rng: np.random.Generator
) -> None:
    for image in ink.astype(np.float32):
        corrupted = stroke(image, rng)
        assert (corrupted >= image).all()
        assert 5 < (corrupted > image).sum() < 28 * 28 / 2


def test_noise_has_the_given_strength(rng: np.random.Generator) -> None:
    gray = np.full((28, 28), 128, np.float32)
    for low, high, corruption in (
        (10, 60, corruptions.gaussian_noise),
        (128 / np.sqrt(20 * 128 / 255), 128 / np.sqrt(3 * 128 / 255), corruptions.shot_noise),
    ):
        deviations = [corruption(gray, rng).std() for _ in range(50)]
        assert 0.9 * low < min(deviations) < max(deviations) < 1.1 * high
    impulses = [corruptions.impulse_noise(gray, rng) for _ in range(50)]
    assert {0, 128, 255} == set(np.unique(impulses))
    assert 0 < np.mean([(noise != 128).mean() for noise in impulses]) < 0.3


@pytest.mark.parametrize(
    "corruption", dict.fromkeys(corruptions.CORRUPTIONS), ids=lambda function: function.__name__
)
def test_every_corruption_changes_the_image(
    corruption: corruptions.Corruption, ink: Gray, rng: np.random.Generator
) -> None:
    images = ink.astype(np.float32)
    corrupted = np.array([corruption(image, rng) for image in images])
    assert corrupted.shape == images.shape
    assert (corrupted != images).any(axis=(1, 2)).mean() > 0.5


def test_clutter_only_adds_ink_outside_of_the_digit(rng: np.random.Generator) -> None:
    coverage = np.zeros((60, 50), np.float32)
    box = paper_clutter.BoundingBox(20, 15, 40, 30)
    coverage[20:40, 15:30] = 1
    clutter = [paper_clutter.add_clutter(coverage, box, rng) for _ in range(1000)]
    assert all((cluttered >= coverage).all() for cluttered in clutter)
    share = np.mean([not np.array_equal(cluttered, coverage) for cluttered in clutter])
    recipe = SYNTHETIC.clutter
    # A neighbour does not always fit.
    always = recipe.squared_prob + recipe.ruled_prob + recipe.cell_prob
    assert always - 0.05 < share < always + recipe.neighbour_prob + 0.05


def test_clean_photographs_show_the_ink_on_paper(
    ink: Gray, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    clean = dataclasses.replace(
        camera.RECIPE,
        rough_prob=0,
        light_on_dark_prob=0,
        white_paper_prob=1,
        full_contrast_prob=1,
    )
    monkeypatch.setattr(camera, "RECIPE", clean)
    for image in map(crop_to_ink, ink):
        picture = camera.photograph(image, rng)
        assert max(picture.shape) <= clean.max_side
        shown = crop_to_ink(255 - picture)
        np.testing.assert_allclose(shown, image, atol=1)


def test_ink_similarity(ink: Gray) -> None:
    def normalized(image: Gray) -> Gray:
        scale = 20 / max(image.shape)
        shape = np.round(np.array(image.shape) * scale)
        small = transform.resize(image.astype(float), shape, anti_aliasing=True)
        padded = np.pad(small, 14)
        row, column = np.round(ndimage.center_of_mass(padded)).astype(int)
        return padded[row - 14 : row + 14, column - 14 : column + 14].astype(np.uint8)

    cropped = [crop_to_ink(image.repeat(3, axis=0).repeat(3, axis=1)) for image in ink]
    same = [ink_similarity(normalized(image), image) for image in cropped]
    assert min(same) > SYNTHETIC.min_similarity and np.median(same) > 0.95
    pairs = zip(cropped, cropped[::-1], strict=True)
    other = [ink_similarity(normalized(one), two) for one, two in pairs]
    assert np.median(other) < 0.8
    blank = np.zeros((40, 30), np.uint8)
    assert ink_similarity(np.zeros((28, 28), np.uint8), cropped[0]) == 0
    assert ink_similarity(normalized(cropped[0]), blank) == 0


def test_shares_of_the_synthetic_pictures() -> None:
    assert sum(SYNTHETIC.source_probs.values()) == pytest.approx(1)


class _Model:
    """Returns given probabilities."""

    def __init__(self, *scores: npt.NDArray[np.float32]) -> None:
        self._scores = iter(scores)

    def predict_proba(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        return next(self._scores)


def test_calibration_maximizes_the_likelihood(rng: np.random.Generator) -> None:
    labels = rng.integers(0, 10, 3000)
    logits = rng.normal(0, 2, (3000, 10))
    logits[np.arange(3000), labels] += 4
    logits *= 1.7  # too confident

    def probabilities(temperature: float) -> npt.NDArray[np.float64]:
        return np.asarray(special.softmax(logits / temperature, axis=1))

    def loss(temperature: float) -> float:
        return float(-np.log(probabilities(temperature)[np.arange(3000), labels]).mean())

    best = optimize.minimize_scalar(loss, bounds=(0.5, 3), method="bounded").x
    scores = probabilities(1).astype(np.float32)
    model: Any = _Model(scores, scores[:1000])
    calibration = fit_calibration(model, scores[:1000], scores, labels)
    assert calibration.temperature == pytest.approx(best, rel=0.01)
    calibrated = Calibration(calibration.temperature).calibrated(scores[:1000])
    certain = [digitness(row) >= calibration.least_digitness for row in calibrated.tolist()]
    assert np.mean(certain) == pytest.approx(CALIBRATION.coverage, abs=0.002)


@pytest.mark.slow
def test_samples_are_reproducible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_samples, "SAMPLES", tmp_path)
    make_samples.main()
    names = sorted(file.name for file in SAMPLES.glob("*.png"))
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    for name in names:
        drawn, committed = (
            np.asarray(Image.open(folder / name), float) for folder in (tmp_path, SAMPLES)
        )
        assert np.abs(drawn - committed).mean() < 1
