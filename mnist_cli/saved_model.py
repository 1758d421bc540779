"""Reads the folder of a SavedModel without TensorFlow: fingerprint, statistics, calibration."""

import functools
import hashlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from mnist_cli.calibration import Calibration
from mnist_cli.class_labels import ASSETS, possible_label_files
from mnist_cli.errors import ModelError
from mnist_cli.records import Statistics
from mnist_cli.stored_model import StoredModel, read_json

GRAPH_FILE = "saved_model.pb"
VARIABLES_INDEX = "variables/variables.index"
# With temperatures outside of these limits, float32 cannot represent the probabilities.
CALIBRATION_LIMITS = {"temperature": (0.01, 100), "least_digitness": (0, 1)}


@dataclass(frozen=True)
class SavedModel(StoredModel):
    """A folder with a `saved_model.pb`."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the graph, the variables index, which has their checksums, and the labels."""
        digest = hashlib.sha256()
        files = [self.path / GRAPH_FILE, self.path / VARIABLES_INDEX]
        for file in files + possible_label_files(self.path / ASSETS):
            try:
                content = file.read_bytes()
            except FileNotFoundError:  # a model may have no variables
                content = b""
            except OSError as error:
                raise ModelError(f"{file}: {error.strerror}") from error
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()

    @property
    def sizes(self) -> dict[str, int]:
        return {
            "graph": (self.path / GRAPH_FILE).stat().st_size,
            "variables": sum(file.stat().st_size for file in self.path.glob("variables/*")),
        }

    @property
    def statistics(self) -> Statistics:
        """The numbers in `statistics.json`, written by the training; empty if it is unusable."""
        return cast(Statistics, _read_numbers(self.path / "statistics.json"))

    @property
    def calibration(self) -> Calibration:
        """The calibration in `assets.extra/calibration.json`; the default if it is unusable."""
        numbers = _read_numbers(self.extras_folder / "calibration.json")
        valid = {
            name: numbers[name]
            for name, (low, high) in CALIBRATION_LIMITS.items()
            if name in numbers and low <= numbers[name] <= high
        }
        return Calibration(**valid)

    @property
    def extras_folder(self) -> Path:
        """The folder that the SavedModel format reserves for additional files."""
        return self.path / "assets.extra"


def _read_numbers(file: Path) -> dict[str, float]:
    return {
        name: value
        for name, value in read_json(file).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
        if abs(value) <= sys.float_info.max
    }
