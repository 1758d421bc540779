"""What lies in the folder of a SavedModel, read without TensorFlow."""

import contextlib
import dataclasses
import functools
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import platformdirs

from mnist_cli.calibration import Calibration
from mnist_cli.errors import ModelError
from mnist_cli.records import ModelDescription

GRAPH_FILE = "saved_model.pb"
VARIABLES_INDEX = "variables/variables.index"
# Raised when compiled models change in what they hold or mean: those of before are then stale.
COMPILED_FORMAT = 1


class CompiledDescription(ModelDescription):
    """The content of `model.json`, which describes a compiled model."""

    format: int
    fingerprint: str
    """That of the SavedModel which was compiled."""
    compiler: str
    sha256: str
    """The checksum of `model.tflite`."""


@dataclass(frozen=True)
class CompiledModel:
    """A model compiled for LiteRT: `model.tflite`, and its description in `model.json`."""

    folder: Path
    description: CompiledDescription

    @property
    def file(self) -> Path:
        return self.folder / "model.tflite"

    def read(self) -> bytes:
        """The compiled model.

        Raises:
            ModelError: the file is missing, or is not what the compiler wrote.
        """
        try:
            content = self.file.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.file}: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != self.description["sha256"]:
            raise ModelError(f"{self.file} is damaged")
        return content


@dataclass(frozen=True)
class SavedModel:
    """A folder with a `saved_model.pb`."""

    name: str
    path: Path

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the graph and the index of the variables, which holds their checksums."""
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
    def statistics(self) -> dict[str, Any]:
        """The figures in `statistics.json`, which the evaluation writes; none if it is missing."""
        return _read_numbers(self.path / "statistics.json")

    @property
    def calibration(self) -> Calibration:
        """What is in `assets.extra/calibration.json`; without the file nothing is calibrated."""
        names = {field.name for field in dataclasses.fields(Calibration)}
        figures = _read_numbers(self.extras_folder / "calibration.json")
        # Beyond that, float32 has no probabilities for what is told.
        in_range = {name: figure for name, figure in figures.items() if 0.01 <= figure <= 100}
        return Calibration(**{name: in_range[name] for name in names & in_range.keys()})

    @property
    def extras_folder(self) -> Path:
        """Where a model carries its compiled form along; the format keeps this place for extras."""
        return self.path / "assets.extra"

    @property
    def cache_folder(self) -> Path:
        """Where the compiled form of a model that carries none is kept for this user.

        Raises:
            ModelError: the user has no home.
        """
        try:
            return platformdirs.user_cache_path("mnist") / self.fingerprint
        except RuntimeError as error:
            raise ModelError("has no cache, since there is no home: set XDG_CACHE_HOME") from error

    def compiled(self) -> list[CompiledModel]:
        """The compiled models that were made from just this SavedModel, the best first."""
        folders = [self.extras_folder]
        with contextlib.suppress(ModelError):
            folders.append(self.cache_folder)
        found = []
        for folder in folders:
            description = _read_json(folder / "model.json")
            expected = {"format": COMPILED_FORMAT, "fingerprint": self.fingerprint}
            is_complete = CompiledDescription.__required_keys__ <= description.keys()
            if is_complete and expected.items() <= description.items():
                found.append(CompiledModel(folder, cast(CompiledDescription, description)))
        return found


def _read_numbers(file: Path) -> dict[str, Any]:
    return {
        name: figure
        for name, figure in _read_json(file).items()
        if isinstance(figure, int | float) and abs(figure) <= sys.float_info.max
    }


def _read_json(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
