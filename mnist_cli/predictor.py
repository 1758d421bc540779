"""Reads pictures with one model and returns their records."""

import logging
from dataclasses import dataclass
from typing import BinaryIO

from mnist_cli import images
from mnist_cli.api import DigitModel
from mnist_cli.errors import InputError
from mnist_cli.formats import SEVERAL_PAGES
from mnist_cli.option_types import Preprocess
from mnist_cli.picture import Picture
from mnist_cli.prediction import Digit, Number
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

    model: DigitModel
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
        return self.record(self.model.predict(picture, preprocess=self.preprocess))

    def predict_all(self, picture: Picture) -> DigitsRecord:
        """Read all digits of a picture; there may be none."""
        return self.number_record(self.model.read_number(picture))

    def predict_file(self, file: str, stdin: BinaryIO, *, multi: bool = False) -> FileRecord:
        """Read a picture file, or `stdin` if `file` is `-`; with `multi` all its digits.

        Logs a warning if the file has more pages, and a hint at `multi` if one digit is uncertain
        because there are several.

        Returns:
            The record of the file; if it cannot be read, with the error.
        """
        try:
            picture = images.read(file, stdin)
            if picture.has_more_pages:
                logger.warning(SEVERAL_PAGES, printable(file))
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
        return sum(not digit.uncertain for digit in self.model.read_number(picture).digits) > 1

    def record(self, digit: Digit) -> PredictionRecord:
        """Return the record of a picture's only digit."""
        return {
            "prediction": digit.digit,
            "probability": digit.probability,
            "digitness": digit.digitness,
            "model": self.model.name,
            **self._optional_fields(digit),
            "box": list(digit.box),
        }

    def number_record(self, number: Number) -> DigitsRecord:
        """Return the record of all digits of a picture."""
        digits: list[DigitRecord] = [
            {
                "prediction": digit.digit,
                "probability": digit.probability,
                "digitness": digit.digitness,
                **self._optional_fields(digit),
                "box": list(digit.box),
            }
            for digit in number.digits
        ]
        record: DigitsRecord = {"text": number.text, "digits": digits, "model": self.model.name}
        if digits:
            record["probability"] = number.probability
        if any("uncertain" in digit for digit in digits):
            record["uncertain"] = True
        return record

    def _optional_fields(self, digit: Digit) -> OptionalFields:
        fields: OptionalFields = {}
        if self.scores:
            fields["scores"] = digit.scores
        if digit.uncertain or digit.probability < self.min_probability:
            fields["uncertain"] = True
        if self.image:
            fields["image"] = digit.image.round().astype(int).tolist()
        return fields
