"""Reads pictures with a model: one digit, or all digits in reading order.

Both use the same evidence: crops that the model reads, and the detections they come from.
"""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from mnist_cli import reshape
from mnist_cli.arrays import Floats, Pixels
from mnist_cli.errors import InputError, errors_in
from mnist_cli.evidence import combine, combine_in_number
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
from mnist_cli.preprocessing.parameters import CLASSICAL, RECOGNITION

T = TypeVar("T")


def read_prepared(model: Model, pictures: Sequence[Prepared]) -> list[Digit | None]:
    """Read prepared pictures as one batch; None for those that the detector should search first."""
    images = [candidate.image for picture in pictures for candidate in picture.candidates]
    scores: Iterator[Floats] = iter(
        model.predict_proba(reshape.to_model_input(images)) if images else ()
    )
    return [
        _decide(model, picture, [next(scores) for _ in picture.candidates]) for picture in pictures
    ]


class NamedPicture(NamedTuple):
    """A picture to read with others."""

    name: str | None
    """What errors call it; None adds nothing to them."""
    load: Callable[[], Picture]
    """Called again if the detector has to search the picture, so that few are in memory."""


def read_pictures(
    model: Model, pictures: Sequence[NamedPicture], preprocess: Preprocess = "auto"
) -> Iterator[Digit | InputError]:
    """Read the digit of each picture; the model reads all clean ones as one batch.

    Yields:
        The digit of each picture or, if the picture cannot be read or shows no digit, the error.
    """
    prepared = [_try(picture, lambda decoded: prepare(decoded, preprocess)) for picture in pictures]
    readable = [one for one in prepared if isinstance(one, Prepared)]
    digits = iter(read_prepared(model, readable))
    for picture, before in zip(pictures, prepared, strict=True):
        if isinstance(before, InputError):
            yield before
        else:
            digit = next(digits)
            search = functools.partial(read_searched, model, prepared=before)
            yield _try(picture, search) if digit is None else digit


def _try(picture: NamedPicture, step: Callable[[Picture], T]) -> T | InputError:
    """Return the result of a step, or the error of the picture."""
    try:
        with errors_in(picture.name):
            return step(picture.load())
    except InputError as error:
        return error


def read_digit(model: Model, picture: Picture, preprocess: Preprocess = "auto") -> Digit:
    """Read the digit of a picture.

    Raises:
        InputError: there is no digit in the picture.
    """
    prepared = prepare(picture, preprocess)
    [digit] = read_prepared(model, [prepared])
    return digit or read_searched(model, picture, prepared)


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
    best = _most_supported(picture.candidates, [float(row[digit]) for row in rows])
    return _digit(model, evidence.scores, evidence.digitness, best.image, best.box)


def _most_supported(candidates: Sequence[Candidate], probabilities: list[float]) -> Candidate:
    """Return the crop of the detector that supports a digit best.

    If the crop of the fast path shows the same digit, it is returned instead: its box is exact.
    """
    support = [
        probability * (candidate.detection.score if candidate.detection else 0)
        for candidate, probability in zip(candidates, probabilities, strict=True)
    ]
    best, first = candidates[int(np.argmax(support))], candidates[0]
    is_exact = first.detection is None and iou(first.box, best.box) > RECOGNITION.same_crop_iou
    return first if is_exact else best


def _digit_of_number(
    model: Model, detection: Detection, box: Box, image: Pixels, row: Floats
) -> Digit:
    evidence = combine_in_number(detection, row)
    return _digit(model, evidence.scores, evidence.digitness, image, box)


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
