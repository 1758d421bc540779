"""The tuned numbers of both paths and of their combination, each with its unit."""

from typing import NamedTuple

# Unless stated otherwise, the values were chosen by the accuracy on real pictures, measured with
# `benchmarks/real.py`, and on the validation scenes of `training/detector`.


class ClassicalParameters(NamedTuple):
    """The fast path for clean pictures."""

    max_side_px: int = 256
    """Longer side of a picture; larger pictures are reduced before the digit is located."""
    min_digit_side_px: int = 80
    """Longer side of a digit in a reduced picture; smaller ones are located again, closer."""
    min_side_px: int = 16
    """Longer side; a smaller digit may fall apart for lack of pixels."""
    min_area: float = 0.02
    """Fraction of the area of the largest component; smaller components are specks."""
    solid_share: float = 0.6
    """Foreground of a shape's box or of an edge of it, as a fraction, from which it is solid."""
    max_gap: float = 0.2
    """Distance to the digit in longer sides; nearer components belong to it."""
    max_components: int = 1000
    """A picture with more connected components is not clean."""
    max_stroke_length: float = 6.0
    """Length of all strokes in longer sides of the digit; no digit has more."""
    min_digitness: float = 0.995
    """Digitness from which the answer of this path is final, without the detector."""

    # Threshold: gray levels, 0 to 255.
    min_contrast: int = 32
    """Difference between the lightest and the darkest pixel; a lower one is texture or noise."""
    foreground_threshold: int = 63
    """Foreground, 0 to 255, above which a pixel belongs to a mark."""
    max_background_range: int = 16
    """Difference between the 25th and the 98th percentile of the background in even light."""
    max_border_contrast: int = 32
    """Difference between the darkest and the lightest pixel of the border in even light."""
    min_contrast_to_noise: float = 10.0
    """Contrast of the foreground over the difference between the 98th percentile and the median of
    the background; lower in noisy pictures."""
    min_shaded_side_px: int = 20
    """Shorter side; smaller pictures are too small to separate shadows from strokes."""

    # Polarity: votes for which of two levels is the background. The one with more of the picture,
    # of its border and of its corners, and, if these disagree, the one with more connected
    # components. The weights are close to those of a logistic regression on tight crops of digits
    # in the training fonts, with more weight on the border.
    area_weight: float = 0.36
    border_weight: float = 0.15
    corners_weight: float = 0.29
    components_weight: float = 0.2
    min_voting_area: float = 0.02
    """Fraction of the picture; smaller components do not vote."""
    max_voting_side_px: int = 512
    """Longer side from which components are counted on a coarser grid; labelling large noise takes
    long."""

    # Stroke widths as fractions of the longer side of the digit. 99 % of 3,000 images of MNIST
    # exceed the minimum. Bold strokes stay: they survive scaling, and the models are trained on
    # bold fonts.
    min_stroke_width: float = 0.07
    """Thinner strokes are thickened."""
    target_stroke_width: float = 0.1
    """The width that they get."""
    min_blurred_level: int = 8
    """Maximum of the blurred foreground, 0 to 255, below which strokes cannot be restored."""


class DetectorParameters(NamedTuple):
    """The looks at a picture and what is read from them."""

    margin_px: int = 8
    """Background around the picture, in pixels of a look."""
    single_sides_px: tuple[int, ...] = (40, 64, 96)
    """Longer sides of the looks at a picture of one digit."""
    first_side_px: int = 256
    """Longer side of the first look at a picture of several digits."""
    wide_aspect: float = 2.0
    """Ratio of the sides from which a picture shows one line of digits."""
    wide_scale: float = 1.25
    """Factor on `first_side_px` for such pictures."""
    closer_scale: float = 2.0
    """Factor on the size of the first look if it shows no digit."""
    digit_height_px: float = 36.0
    """Height of digits in the second look; the detector is trained mostly with such heights."""
    second_side_px: int = 384
    """Largest longer side of the second look."""
    min_second_side_px: int = 48
    max_scale: float = 8.0
    """Largest enlargement of the second look."""
    border: float = 0.9
    """Margin around the digits in the second look, in digit heights."""
    same_scale: tuple[float, float] = (0.8, 1.25)
    """Ratio of both scales in which the first look is enough, if the digits fill it."""
    same_area: float = 0.6
    """Fraction of the picture that the region of the second look fills then."""
    min_evidence: float = 0.6
    """Sum of scores of the second look over that of the first; if lower, the first one counts."""
    min_peak: float = 0.15
    """Objectness from which a peak is kept."""
    min_score: float = 0.38
    """Objectness from which a peak is a digit of a number."""
    min_relative_score: float = 0.5
    """In median scores of the digits of a number; lower ones are separators or other marks."""
    min_relative_score_of_one: float = 0.55
    """The same for a 1, which slashes and edges look like."""
    min_height: float = 0.45
    """In median heights of the digits of a number; lower ones are marks or smaller print."""
    max_iou: float = 0.5
    """Intersection over union of two boxes; if higher, the weaker one is a duplicate."""
    max_inside: float = 0.72
    """Intersection over the smaller box; if higher, the weaker one is a part of the other."""
    min_height_of_wide: float = 0.8
    """Least height of a digit, in widths, when the usual height of the digits is estimated."""
    min_width_of_tall: float = 0.3
    """Least width of a digit, in heights, when the most prominent digit is chosen."""
    min_peer_height: float = 0.5
    """In heights of a digit; lower detections are not counted as other digits beside it."""
    centre_weight: float = 0.5
    """How much a digit at a corner counts less than one in the middle, as a fraction."""


class CropParameters(NamedTuple):
    """From a detection to a normalized crop."""

    border: float = 0.1
    """Margin around a bounding box, in longer sides."""
    side_px: int = 60
    """Longer side of a crop before it is normalized."""
    ink_mask: float = 0.7
    """Foreground probability from which a pixel shows the colour of ink."""
    background_mask: float = 0.2
    """Foreground probability below which a pixel shows the colour of the background."""
    possible_mask: float = 0.12
    """Foreground probability from which a pixel can be ink."""
    min_reduced_side_px: int = 40
    """Longer side of digits in a picture that the JPEG decoder reduced; if one is smaller, the
    picture is decoded again at twice the size. A normalized digit has 20 pixels."""
    min_samples: int = 4
    """Pixels of each colour without which the mask itself is the foreground."""
    clip: tuple[float, float] = (0.15, 0.85)
    """Position between both colours that becomes background and full ink."""


class RecognitionParameters(NamedTuple):
    """How the evidence of detector and model is combined."""

    # Weights of the logarithms of probabilities.
    detector_weight: float = 0.7
    """Of the detector's classes for a picture of one digit."""
    model_weight: float = 1.05
    """Of the model's scores for a crop of the detector."""
    classical_weight: float = 0.55
    """Of the model's scores for the classical crop."""
    number_model_weight: float = 0.5
    """Of the model's scores for a digit of a number; the detector's classes, which do not suffer
    from parts of neighbours in the crop, have the weight 1."""

    detector_floor: float = 1e-4
    model_floor: float = 1e-3
    """Least probabilities, so that one wrong certainty cannot outweigh everything else."""
    same_digit_iou: float = 0.3
    """Intersection over union from which two boxes are of one digit."""
    same_crop_iou: float = 0.5
    """The same from which the classical crop replaces that of a detection."""
    min_total_score: float = 0.5
    """Sum of scores below which the evidence of all looks counts less."""
    score_weight: float = 6.4
    share_weight: float = 6.0
    certainty_weight: float = 2.6
    digitness_bias: float = -10.0
    """Logistic regression of digitness on the score, the share and the certainty of the scores,
    fitted on real pictures with and without a digit; the bias was then raised so that the CNNs
    mark at most 11 % of readable digits as uncertain, and less than 4 % of other pictures as
    certain."""


CLASSICAL = ClassicalParameters()
DETECTOR = DetectorParameters()
CROPS = CropParameters()
RECOGNITION = RecognitionParameters()
