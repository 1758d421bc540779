"""Reads pictures with a model: one digit, or all digits in reading order.

Both use the same evidence: crops that the model reads, and the detections they come from.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from mnist_cli import reshape
from mnist_cli.arrays import Floats, Pixels
from mnist_cli.errors import InputError
from mnist_cli.loader import Model
from mnist_cli.option_types import Preprocess
from mnist_cli.picture import Picture
from mnist_cli.prediction import Digit, Number, digitness
from mnist_cli.preprocessing import crops, looks
from mnist_cli.preprocessing.candidates import (
    Candidate,
    Prepared,
    box_in_full,
    needs_larger,
    prepare,
    search,
)
from mnist_cli.preprocessing.detector import Detection
from mnist_cli.preprocessing.geometry import Box, iou
from mnist_cli.preprocessing.lines import reading_order
from mnist_cli.preprocessing.parameters import CLASSICAL, DETECTOR, RECOGNITION


def read_prepared(model: Model, pictures: Sequence[Prepared]) -> list[Digit | None]:
    """Read prepared pictures as one batch; None for those that the detector should search first."""
    images = [candidate.image for picture in pictures for candidate in picture.candidates]
    scores: Iterator[Floats] = iter(
        model.predict_proba(reshape.to_model_input(images)) if images else ()
    )
    return [
        _decide(model, picture, [next(scores) for _ in picture.candidates]) for picture in pictures
    ]


def read_digit(model: Model, picture: Picture, preprocess: Preprocess = "auto") -> Digit:
    """Read the digit of a picture.

    Raises:
        InputError: there is no digit in the picture.
    """
    prepared = prepare(picture, preprocess)
    [digit] = read_prepared(model, [prepared])
    return digit or read_searched(model, picture, prepared)


def read_digits(
    model: Model, loaders: Sequence[Callable[[], Picture]], preprocess: Preprocess = "auto"
) -> list[Digit]:
    """Read the digits of many pictures as one batch.

    Args:
        model: the model.
        loaders: functions that return a picture; one is called again if the detector is needed.
        preprocess: how the digits are located.

    Raises:
        InputError: a picture cannot be read, or there is no digit in it.
    """
    prepared = [prepare(load(), preprocess) for load in loaders]
    digits = read_prepared(model, prepared)
    return [
        digit or read_searched(model, load(), before)
        for digit, load, before in zip(digits, loaders, prepared, strict=True)
    ]


def read_searched(model: Model, picture: Picture, prepared: Prepared) -> Digit:
    """Read a prepared picture again, after the detector has searched it.

    Raises:
        InputError: there is no digit in the picture.
    """
    [digit] = read_prepared(model, [search(picture, prepared)])
    assert digit is not None  # it was searched
    return digit


def read_number(model: Model, picture: Picture) -> Number:
    """Read all digits of a picture: lines from top to bottom, each from left to right."""
    look = looks.look_for_number(picture.image)
    numbers = looks.digits_of_number(look)
    if needs_larger(picture, [look.detections[index].box for index in numbers]):
        return read_number(model, picture.larger)
    found = [
        (look.detections[index], image)
        for index in numbers
        if (image := crops.crop_detection(picture.image, look, index)) is not None
    ]
    if not found:
        return _only_certain(model, picture)
    scores = model.predict_proba(reshape.to_model_input([image for _, image in found]))
    digits = [
        (
            detection.box,
            _digit_of_number(model, detection, box_in_full(detection.box, picture), image, row),
        )
        for (detection, image), row in zip(found, scores, strict=True)
    ]
    if len(digits) == 1:
        return _number([[_confirmed(model, picture, digits[0][1])]])
    lines = reading_order(digits, lambda item: item[0])
    return _number([[digit for _, digit in line] for line in lines])


def _number(lines: Sequence[Sequence[Digit]]) -> Number:
    text = "\n".join("".join(str(digit.digit) for digit in line) for line in lines)
    return Number(text, tuple(digit for line in lines for digit in line))


def _only_certain(model: Model, picture: Picture) -> Number:
    """Read the digit of a picture in which it is too small or too large for a number."""
    single = _digit_if_any(model, picture)
    return _number([[single]] if single and not single.uncertain else [])


def _confirmed(model: Model, picture: Picture, digit: Digit) -> Digit:
    """Read the only digit of a number as `read_digit` does, which sees rings and other textures."""
    single = _digit_if_any(model, picture)
    if single and iou(single.box, digit.box) > RECOGNITION.same_digit_iou:
        return single
    return digit


def _digit_if_any(model: Model, picture: Picture) -> Digit | None:
    try:
        return read_digit(model, picture)
    except InputError:
        return None


def _decide(model: Model, picture: Prepared, rows: list[Floats]) -> Digit | None:
    """Combine the model's scores of all candidates; None if the detector should search first."""
    if not picture.is_searched:
        if not picture.candidates:
            return None
        [candidate], [row] = picture.candidates, rows
        confidence = digitness(row.tolist())
        if not picture.is_final and confidence < CLASSICAL.min_digitness:
            return None
        return _digit(model, row, confidence, candidate.image, candidate.box)
    evidence = combine(picture.candidates, rows)
    digit = int(evidence.scores.argmax())
    best = _best_crop(picture.candidates, [float(row[digit]) for row in rows])
    confidence = _confidence(evidence.score, evidence.share, evidence.scores)
    return _digit(model, evidence.scores, confidence, best.image, best.box)


class Evidence(NamedTuple):
    """What the detector and the model say about a picture of one digit."""

    scores: Floats
    """float32 [10], the probabilities of the digits; they sum to 1."""
    score: float
    """Mean score of the detections over all looks, 0 to 1."""
    share: float
    """Mean of `Candidate.share` over all looks, 0 to 1."""


def combine(candidates: Sequence[Candidate], rows: Sequence[Floats]) -> Evidence:
    """Combine the candidates of a picture that the detector has searched.

    Args:
        candidates: the candidates of the picture.
        rows: the model's probabilities for each candidate, float32 [10].
    """
    logits, total = np.zeros(10, np.float32), 0.0
    for candidate, row in zip(candidates, rows, strict=True):
        if candidate.detection:
            logits += candidate.detection.score * _log_product(
                candidate.detection, row, RECOGNITION.detector_weight, RECOGNITION.model_weight
            )
            total += candidate.detection.score
    logits /= max(total, RECOGNITION.min_total_score)
    for candidate, row in zip(candidates, rows, strict=True):
        if not candidate.detection:
            logits += RECOGNITION.classical_weight * _log(row, RECOGNITION.model_floor)
    found = sum(candidate.detection is not None for candidate in candidates)
    look_count = max(found, len(DETECTOR.single_sides_px))
    share = sum(candidate.share for candidate in candidates)
    return Evidence(_softmax(logits), total / look_count, share / look_count)


def _best_crop(candidates: Sequence[Candidate], probabilities: list[float]) -> Candidate:
    """Return the crop of the detector that supports a digit best.

    If the crop of the fast path shows the same digit, it is returned instead: its box is exact.
    """
    support = [
        probability * (candidate.detection.score if candidate.detection else 0)
        for candidate, probability in zip(candidates, probabilities, strict=True)
    ]
    best, first = candidates[int(np.argmax(support))], candidates[0]
    is_exact = first.detection is None and iou(first.box, best.box) > DETECTOR.max_iou
    return first if is_exact else best


def _digit_of_number(
    model: Model, detection: Detection, box: Box, image: Pixels, row: Floats
) -> Digit:
    scores = _softmax(_log_product(detection, row, 1.0, RECOGNITION.number_model_weight))
    confidence = _confidence(detection.score, 1.0, scores)
    return _digit(model, scores, confidence, image, box)


def _digit(model: Model, scores: Floats, confidence: float, image: Pixels, box: Box) -> Digit:
    values = scores.tolist()
    digit = values.index(max(values))
    return Digit(
        digit=digit,
        probability=round(100 * values[digit], 2),
        digitness=round(confidence, 4),
        uncertain=confidence < model.calibration.least_digitness,
        box=box,
        scores=tuple(values),
        image=image,
    )


def _log_product(
    detection: Detection, row: Floats, detector_weight: float, model_weight: float
) -> Floats:
    """Return the weighted sum of the logarithms of both networks' probabilities, float32 [10]."""
    detector = _log(detection.classes, RECOGNITION.detector_floor)
    return detector_weight * detector + model_weight * _log(row, RECOGNITION.model_floor)


def _confidence(score: float, share: float, scores: Floats) -> float:
    """Return the digitness of a picture that the detector has searched."""
    logit = (
        RECOGNITION.score_weight * score
        + RECOGNITION.share_weight * share
        + RECOGNITION.certainty_weight * digitness(scores.tolist())
        + RECOGNITION.digitness_bias
    )
    return 1 / (1 + math.exp(-logit))


def _log(probabilities: Floats, floor: float) -> Floats:
    return np.asarray(np.log(probabilities + np.float32(floor)), np.float32)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum(), np.float32)
