"""Reads pictures with one model and returns their records."""

from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from mnist_cli import images, prediction, records, reshape
from mnist_cli.errors import InputError
from mnist_cli.loader import Model
from mnist_cli.option_types import Preprocess
from mnist_cli.prediction import Prediction
from mnist_cli.records import DigitsRecord, FileRecord, PredictionRecord
from mnist_cli.runtimes import Batch


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

    def predict(self, pixels: reshape.Pixels) -> PredictionRecord:
        """Read the only digit of a picture [H, W], 0 black to 255 white.

        Raises:
            InputError: there is no digit in the picture.
        """
        [image] = reshape.preprocess_batch([pixels], self.preprocess)
        [digit] = prediction.predict(self.model, image[np.newaxis])
        return self.record(digit, image)

    def record(self, digit: Prediction, image: Batch) -> PredictionRecord:
        """Return the record of a prediction for an image [784], the input of the model."""
        record = records.prediction_record(
            digit, model=self.model.name, scores=self.scores, min_probability=self.min_probability
        )
        if self.image:
            levels = (255 * (1 - image)).round().astype(np.uint8)
            record["image"] = levels.reshape(reshape.SIDE, reshape.SIDE).tolist()
        return record

    def predict_all(self, pixels: reshape.Pixels) -> DigitsRecord:
        """Read all digits of a picture [H, W], 0 black to 255 white.

        Raises:
            InputError: there is no digit in the picture, or too many components.
        """
        from mnist_cli import several  # not needed for one digit

        lines = several.read(self.model, pixels)
        record = records.digits_record(
            lines, model=self.model.name, scores=self.scores, min_probability=self.min_probability
        )
        if self.image:
            digits = (digit for line in lines for digit in line)
            for digit, fields in zip(digits, record["digits"], strict=True):
                fields["image"] = digit.picture.tolist()
        return record

    def predict_file(self, file: str, stdin: BinaryIO, *, multi: bool = False) -> FileRecord:
        """Read a picture file, or `stdin` if `file` is `-`; with `multi` all its digits.

        Returns:
            The record of the file; if it cannot be read, with the error.
        """
        try:
            pixels = images.read(file, stdin)
            if multi:
                return {**self.predict_all(pixels), "file": file}
            return {**self.predict(pixels), "file": file}
        except InputError as error:
            return {"file": file, "error": str(error)}
