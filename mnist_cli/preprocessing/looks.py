"""Chooses at which parts of a picture, and at which scales, the detector looks."""

import numpy as np
from PIL import Image

from mnist_cli.preprocessing.detector import Detection, Look, load_detector
from mnist_cli.preprocessing.geometry import Rectangle
from mnist_cli.preprocessing.parameters import DETECTOR


def look_for_one(picture: Image.Image) -> list[Look]:
    """Look at all of a picture (L or RGB), at scales at which one digit has a usual height."""
    detector, longest = load_detector(), max(picture.size)
    whole = Rectangle(0, 0, *picture.size)
    return [detector.look(picture, whole, side / longest) for side in DETECTOR.single_sides_px]


def look_for_number(picture: Image.Image) -> Look:
    """Look at all of a picture (L or RGB), then at the part with digits, where that shows more."""
    detector, (width, height) = load_detector(), picture.size
    longest, whole = max(width, height), Rectangle(0, 0, width, height)
    is_wide = longest >= DETECTOR.wide_aspect * min(width, height)
    side = DETECTOR.first_side_px * (DETECTOR.wide_scale if is_wide else 1)
    first = detector.look(picture, whole, side / longest)
    if longest > side and not first.has_digit:  # the digits may be too small for this look
        first = detector.look(picture, whole, min(1, DETECTOR.closer_scale * side / longest))
    if not first.detections:
        return first
    digit_height = _usual_height(first.detections)
    region = Rectangle(
        min(found.box.left for found in first.detections),
        min(found.box.top for found in first.detections),
        max(found.box.right for found in first.detections),
        max(found.box.bottom for found in first.detections),
    ).expanded(DETECTOR.border * digit_height, width, height)
    region_side = max(region.width, region.height)
    scale = min(
        DETECTOR.digit_height_px / digit_height,
        DETECTOR.second_side_px / region_side,
        DETECTOR.max_scale,
    )
    low, high = DETECTOR.same_scale
    is_full = region.width * region.height >= DETECTOR.same_area * width * height
    if low < scale / first.scale[0] < high and is_full:
        return first
    second = detector.look(picture, region, max(scale, DETECTOR.min_second_side_px / region_side))
    return second if _evidence(second) >= DETECTOR.min_evidence * _evidence(first) else first


def digits_of_number(look: Look) -> list[int]:
    """Return the indices of the detections that are digits of the number in a look."""
    found = [index for index, one in enumerate(look.detections) if one.score >= DETECTOR.min_score]
    if not found:
        return []
    usual_score = np.median([look.detections[index].score for index in found])
    usual_height = np.median([look.detections[index].box.height for index in found])

    def is_digit(one: Detection) -> bool:
        is_one = one.classes.argmax() == 1
        least = DETECTOR.min_relative_score_of_one if is_one else DETECTOR.min_relative_score
        return bool(
            one.score >= least * usual_score
            and one.box.height >= DETECTOR.min_height * usual_height
        )

    return [index for index in found if is_digit(look.detections[index])]


def _evidence(look: Look) -> float:
    return sum(found.score for found in look.detections if found.score >= DETECTOR.min_score)


def _usual_height(detections: list[Detection]) -> float:
    """Return the median height in pixels, weighted by score and squared height.

    The square keeps specks from outweighing digits. A wide box counts as a tall one.
    """
    heights = np.array(
        [max(one.box.height, DETECTOR.min_height_of_wide * one.box.width) for one in detections]
    )
    order = heights.argsort()
    weights = np.array([one.score for one in detections]) * heights**2
    total = weights[order].cumsum()
    return float(heights[order][total.searchsorted(total[-1] / 2)])
