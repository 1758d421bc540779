"""Reads the folder of a SavedModel without TensorFlow: fingerprint, statistics, compiled model."""

import dataclasses
import functools
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from mnist_cli.calibration import Calibration
from mnist_cli.errors import ModelError
from mnist_cli.records import ModelDescription, Precision, Statistics

GRAPH_FILE = "saved_model.pb"
VARIABLES_INDEX = "variables/variables.index"
# Incremented when the content or meaning of compiled models changes; older ones are then stale.
COMPILED_FORMAT = 3
# The JSON files of the shipped models have at most 5 kB; `model.json` lists all variables.
MAX_JSON_BYTES = 16 * 2**20
# With temperatures outside of these limits, float32 cannot represent the probabilities.
CALIBRATION_LIMITS = 0.01, 100


class CompiledDescription(ModelDescription):
    """The content of `model.json`, which describes a compiled model."""

    format: int
    fingerprint: str
    """The fingerprint of the SavedModel that was compiled."""
    compiler: str
    precision: Precision
    sha256: str
    """The checksum of `model.tflite`."""


@dataclass(frozen=True)
class CompiledModel:
    """A folder with a model compiled for LiteRT, `model.tflite`, and its `model.json`."""

    folder: Path
    description: CompiledDescription

    @property
    def file(self) -> Path:
        return self.folder / "model.tflite"

    def read(self) -> bytes:
        """Return the content of `model.tflite`.

        Raises:
            ModelError: the file is missing, or its checksum is wrong.
        """
        try:
            content = self.file.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.file}: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != self.description["sha256"]:
            raise ModelError(f"{self.file} is damaged: wrong checksum")
        return content


@dataclass(frozen=True)
class SavedModel:
    """A folder with a `saved_model.pb`."""

    name: str
    path: Path

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the graph and of the variables index, which contains their checksums."""
        digest = hashlib.sha256()
        for file in (GRAPH_FILE, VARIABLES_INDEX):
            try:
                content = (self.path / file).read_bytes()
            except FileNotFoundError:  # a model may have no variables
                content = b""
            except OSError as error:
                raise ModelError(f"{self.path / file}: {error.strerror}") from error
            digest.update(hashlib.sha256(content).digest())
        return digest.hexdigest()

    @property
    def statistics(self) -> Statistics:
        """The numbers in `statistics.json`, written by the training; empty if it is unusable."""
        return cast(Statistics, _read_numbers(self.path / "statistics.json"))

    @property
    def calibration(self) -> Calibration:
        """The calibration in `assets.extra/calibration.json`; the default if it is unusable."""
        numbers = _read_numbers(self.extras_folder / "calibration.json")
        low, high = CALIBRATION_LIMITS
        valid = {name: number for name, number in numbers.items() if low <= number <= high}
        names = {field.name for field in dataclasses.fields(Calibration)}
        return Calibration(**{name: valid[name] for name in names & valid.keys()})

    @property
    def extras_folder(self) -> Path:
        """The folder that the SavedModel format reserves for additional files."""
        return self.path / "assets.extra"

    @property
    def cache_folder(self) -> Path:
        """The folder in the user's cache for a compiled form that is not in `extras_folder`.

        Raises:
            ModelError: the user has no home folder.
        """
        import platformdirs

        try:
            return platformdirs.user_cache_path("mnist") / self.fingerprint
        except RuntimeError as error:
            raise ModelError("no cache folder without a home folder: set XDG_CACHE_HOME") from error

    def compiled(self) -> Iterator[CompiledModel]:
        """Yield the compiled forms of exactly this SavedModel: from its folder, from the cache."""
        if found := self._compiled_in(self.extras_folder):
            yield found
        try:
            found = self._compiled_in(self.cache_folder)
        except ModelError:  # the user has no home folder, and so no cache
            return
        if found:
            yield found

    def _compiled_in(self, folder: Path) -> CompiledModel | None:
        description = _read_json(folder / "model.json")
        expected = {"format": COMPILED_FORMAT, "fingerprint": self.fingerprint}
        is_complete = CompiledDescription.__required_keys__ <= description.keys()
        if is_complete and expected.items() <= description.items():
            return CompiledModel(folder, cast(CompiledDescription, description))
        return None


def _read_numbers(file: Path) -> dict[str, float]:
    return {
        name: value
        for name, value in _read_json(file).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
        if abs(value) <= sys.float_info.max
    }


def _read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object; it is empty if the file is missing, damaged, too large or not regular."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_JSON_BYTES:
            return {}
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
