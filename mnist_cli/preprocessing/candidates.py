"""Prepares a picture of one digit: crops that may be the digit, and the evidence for each."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from mnist_cli import reshape
from mnist_cli.arrays import Pixels
from mnist_cli.errors import InputError
from mnist_cli.option_types import Preprocess
from mnist_cli.picture import Picture
from mnist_cli.preprocessing import crops, looks
from mnist_cli.preprocessing.classical import crop_clean
from mnist_cli.preprocessing.detector import Detection, Look
from mnist_cli.preprocessing.errors import no_digit_error
from mnist_cli.preprocessing.geometry import Box, Rectangle
from mnist_cli.preprocessing.parameters import CROPS, DETECTOR


class Candidate(NamedTuple):
    """A crop that may be the digit, with the evidence of the detector for it."""

    image: Pixels
    box: Box
    detection: Detection | None = None
    """None on the classical path."""
    share: float = 0.0
    """Score of the detection over those of all detections that are not much lower."""


class Prepared(NamedTuple):
    """A picture of one digit, as far as preprocessing has got."""

    candidates: tuple[Candidate, ...]
    is_searched: bool = False
    """Whether the detector has looked at it."""
    is_final: bool = False
    """Whether the detector must not search it: it was normalized already, or is only resized."""


def prepare(picture: Picture, preprocess: Preprocess = "auto") -> Prepared:
    """Crop the digit of a picture if it is clean; otherwise search for it with the detector.

    With `plain` the whole picture is resized instead.

    Raises:
        InputError: there is no digit in the picture.
    """
    prepared = prepare_clean(picture, preprocess)
    return prepared if prepared.candidates else search(picture, prepared)


def prepare_clean(picture: Picture, preprocess: Preprocess = "auto") -> Prepared:
    """Crop the digit of a clean picture; the result for other pictures has no candidates.

    Raises:
        InputError: the picture is blank.
    """
    if preprocess == "plain":
        whole = Candidate(reshape.to_28x28(picture.full.pixels), Box(0, 0, *picture.full_size))
        return Prepared((whole,), is_final=True)
    try:
        crop = crop_clean(picture.gray)
    except InputError:  # a faint line may vanish when the picture is reduced
        if picture.is_reduced:
            return prepare_clean(picture.larger)
        raise
    if crop is None:
        return Prepared(())
    if picture.is_reduced:
        if max(crop.box.width, crop.box.height) < CROPS.min_reduced_side_px:
            return prepare_clean(picture.larger)
        crop = crop._replace(box=box_in_full(crop.box.rectangle, picture))
    return Prepared((Candidate(crop.image, crop.box),), is_final=crop.is_original)


def search(picture: Picture, prepared: Prepared) -> Prepared:
    """Add what the detector finds at each scale.

    Raises:
        InputError: there is no digit in the picture.
    """
    views = looks.look_for_one(picture.image)
    is_large = max(picture.full_size) > DETECTOR.first_side_px
    if is_large and not any(look.has_digit for look in views):  # it may be too small for these
        closer = looks.look_for_number(picture.image)
        views += [closer] if closer.has_digit else []
    found = [candidate for look in views if (candidate := _most_prominent(picture, look))]
    if needs_larger(picture, [one.detection.box for one in found if one.detection]):
        return search(picture.larger, prepared)
    candidates = (*prepared.candidates, *found)
    if not candidates:
        raise no_digit_error()
    return prepared._replace(candidates=candidates, is_searched=True)


def needs_larger(picture: Picture, boxes: Sequence[Rectangle]) -> bool:
    """Return whether a picture was reduced too much for the digits in these boxes, or for any."""
    sides = [max(box.sides) for box in boxes]
    return picture.is_reduced and min(sides, default=0) < CROPS.min_reduced_side_px


def box_in_full(box: Rectangle, picture: Picture) -> Box:
    """Return a box of the decoded picture in pixels of the full picture."""
    (full_width, full_height), (width, height) = picture.full_size, picture.size
    return box.scaled(full_width / width, full_height / height).rounded()


def best_crop(prepared: Prepared) -> Pixels:
    """Return the classical crop, or that of the detection with the highest score.

    Args:
        prepared: the result of `prepare` or `search`, which has at least one candidate.
    """

    def score(candidate: Candidate) -> float:
        return candidate.detection.score if candidate.detection else math.inf

    return max(prepared.candidates, key=score).image


def _most_prominent(picture: Picture, look: Look) -> Candidate | None:
    """Return the detection that is largest, most probable and nearest to the middle."""
    width, height = picture.size

    def prominence(index: int) -> float:
        box = look.detections[index].box
        width_px = max(box.width, DETECTOR.min_width_of_tall * box.height)
        size = math.sqrt(box.height * width_px)
        x, y = (box.left + box.right) / width - 1, (box.top + box.bottom) / height - 1
        distance = math.hypot(x, y) / math.sqrt(2)
        return look.detections[index].score * size * (1 - DETECTOR.centre_weight * distance)

    if not look.detections:
        return None
    index = max(range(len(look.detections)), key=prominence)
    image = crops.crop_detection(picture.image, look, index)
    if image is None:
        return None
    best = look.detections[index]
    peers = sum(
        other.score
        for other in look.detections
        if other.box.height >= DETECTOR.min_peer_height * best.box.height
    )
    return Candidate(image, box_in_full(best.box, picture), best, best.score / peers)
