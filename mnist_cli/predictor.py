"""Reads pictures with one model and returns their records."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from mnist_cli import images, recognition
from mnist_cli.errors import InputError
from mnist_cli.loader import Model
from mnist_cli.option_types import Preprocess
from mnist_cli.picture import Picture
from mnist_cli.prediction import Prediction, joint_probability
from mnist_cli.recognition import Digit
from mnist_cli.records import (
    DigitRecord,
    DigitsRecord,
    FileRecord,
    OptionalFields,
    PredictionRecord,
)
from mnist_cli.terminal import TIP, printable

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Predictor:
    """A model with the options that determine the fields of its records."""

    model: Model
    preprocess: Preprocess = "auto"
    scores: bool = False
    image: bool = False
    """Whether records contain the 28x28 image that the model reads."""
    min_probability: float = 0
    """In percent; predictions below it are marked as uncertain."""

    def predict(self, picture: Picture) -> PredictionRecord:
        """Read the only digit of a picture.

        Raises:
            InputError: there is no digit in the picture.
        """
        return self.record(recognition.read_digit(self.model, picture, self.preprocess))

    def predict_all(self, picture: Picture) -> DigitsRecord:
        """Read all digits of a picture; there may be none."""
        return self.number_record(recognition.read_number(self.model, picture))

    def predict_file(self, file: str, stdin: BinaryIO, *, multi: bool = False) -> FileRecord:
        """Read a picture file, or `stdin` if `file` is `-`; with `multi` all its digits.

        Logs a hint at `multi` if one digit is uncertain because there are several.

        Returns:
            The record of the file; if it cannot be read, with the error.
        """
        try:
            picture = images.read(file, stdin)
            if multi:
                return {**self.predict_all(picture), "file": file}
            record = self.predict(picture)
            if "uncertain" in record and self._shows_several(picture):
                logger.log(TIP, "%s shows several digits: use --multi", printable(file))
            return {**record, "file": file}
        except InputError as error:
            return {"file": file, "error": str(error)}

    def _shows_several(self, picture: Picture) -> bool:
        """Whether at least two digits of a picture can be read without uncertainty."""
        if self.preprocess == "plain" or not logger.isEnabledFor(TIP):
            return False
        lines = recognition.read_number(self.model, picture)
        return sum(not digit.prediction.uncertain for line in lines for digit in line) > 1

    def record(self, digit: Digit) -> PredictionRecord:
        """Return the record of a picture's only digit."""
        prediction = digit.prediction
        return {
            "prediction": prediction.digit,
            "probability": prediction.probability,
            "digitness": prediction.digitness,
            "model": self.model.name,
            **self._optional_fields(digit),
            "box": list(digit.box),
        }

    def number_record(self, lines: Sequence[Sequence[Digit]]) -> DigitsRecord:
        """Return the record of all digits of a picture, in lines."""
        digits: list[DigitRecord] = [
            {
                "prediction": digit.prediction.digit,
                "probability": digit.prediction.probability,
                "digitness": digit.prediction.digitness,
                **self._optional_fields(digit),
                "box": list(digit.box),
            }
            for line in lines
            for digit in line
        ]
        record: DigitsRecord = {
            "text": recognition.text_of(lines),
            "digits": digits,
            "model": self.model.name,
        }
        if digits:
            record["probability"] = joint_probability(digit["probability"] for digit in digits)
        if any("uncertain" in digit for digit in digits):
            record["uncertain"] = True
        return record

    def _optional_fields(self, digit: Digit) -> OptionalFields:
        fields: OptionalFields = {}
        if self.scores:
            fields["scores"] = digit.prediction.scores
        if self._is_uncertain(digit.prediction):
            fields["uncertain"] = True
        if self.image:
            fields["image"] = digit.image.round().astype(int).tolist()
        return fields

    def _is_uncertain(self, prediction: Prediction) -> bool:
        return prediction.uncertain or prediction.probability < self.min_probability
