"""A model on disk, in any format: its fingerprint and compiled forms, without TensorFlow."""

import abc
import functools
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict, cast

from mnist_cli.calibration import Calibration
from mnist_cli.errors import ModelError, NoCacheError
from mnist_cli.records import ModelDescription, Precision, SelfTest, Statistics

# Incremented when the content or meaning of compiled models changes; older ones are then stale.
COMPILED_FORMAT = 3
# The JSON files of the shipped models have at most 5 kB; `model.json` lists all variables.
MAX_JSON_BYTES = 16 * 2**20


class CompiledDescription(ModelDescription):
    """The content of `model.json`, which describes a compiled model."""

    format: int
    fingerprint: str
    """The fingerprint of the model that was compiled."""
    compiler: str
    precision: Precision
    sha256: str
    """The checksum of the compiled model."""


class FailedCompilation(TypedDict):
    """The content of `failed.json`: the self-test of a model that LiteRT cannot run."""

    format: int
    fingerprint: str
    compiler: str
    problem: str
    self_test: SelfTest


@dataclass(frozen=True)
class CompiledModel:
    """A file that LiteRT can run, and its description."""

    file: Path
    description: CompiledDescription

    def read(self) -> bytes:
        """Return the content of the file.

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
class StoredModel(abc.ABC):
    """A model on disk."""

    name: str
    path: Path

    @functools.cached_property
    @abc.abstractmethod
    def fingerprint(self) -> str:
        """SHA-256 of the model."""

    @property
    @abc.abstractmethod
    def sizes(self) -> dict[str, int]:
        """The size of each part, in bytes."""

    @property
    def statistics(self) -> Statistics:
        return {}

    @property
    def calibration(self) -> Calibration:
        return Calibration()

    @property
    def extras_folder(self) -> Path | None:
        """A folder beside the model that may contain a compiled form."""
        return None

    @property
    def cache_folder(self) -> Path:
        """The folder in the user's cache for a compiled form that is not in `extras_folder`.

        Raises:
            NoCacheError: the user has no home folder.
            ModelError: the model cannot be read.
        """
        import platformdirs

        try:
            return platformdirs.user_cache_path("mnist", appauthor=False) / self.fingerprint
        except RuntimeError as error:
            raise NoCacheError("no home folder for the cache: set XDG_CACHE_HOME") from error

    def compiled(self) -> Iterator[CompiledModel]:
        """Yield the compiled forms of exactly this model: from its folder, from the cache."""
        if self.extras_folder and (found := self._compiled_in(self.extras_folder)):
            yield found
        try:
            found = self._compiled_in(self.cache_folder)
        except NoCacheError:
            return
        if found and self._is_trusted(self.cache_folder / "model.json", found.file):
            yield found

    def failed_compilation(self) -> FailedCompilation | None:
        """Return what the cache has about exactly this model if LiteRT cannot run it."""
        try:
            folder = self.cache_folder
        except NoCacheError:
            return None
        file = folder / "failed.json"
        found = self._read_entry(file, FailedCompilation.__required_keys__)
        return cast(FailedCompilation, found) if found and self._is_trusted(file) else None

    def compiled_file(self, folder: Path) -> Path:
        """Return the compiled model that `model.json` in a folder describes."""
        return folder / "model.tflite"

    def _is_trusted(self, *files: Path) -> bool:
        """Whether no other user can have written these files of the cache entry."""
        folder = self.cache_folder
        return all(map(is_private, (folder.parent, folder, *{*files} - {self.path})))

    def _compiled_in(self, folder: Path) -> CompiledModel | None:
        found = self._read_entry(folder / "model.json", CompiledDescription.__required_keys__)
        description = cast(CompiledDescription, found)
        return CompiledModel(self.compiled_file(folder), description) if found else None

    def _read_entry(self, file: Path, keys: frozenset[str]) -> dict[str, Any]:
        """Read a file with these keys; it is empty if it is not about exactly this model."""
        found = read_json(file)
        expected = {"format": COMPILED_FORMAT, "fingerprint": self.fingerprint}
        return found if keys <= found.keys() and expected.items() <= found.items() else {}


def is_private(path: Path, allowed: int = 0o755) -> bool:
    """Whether a path belongs to this user, has at most these permissions, and is not a link.

    On Windows, the cache lies in a folder that only this user and administrators can change.
    """
    try:
        status = path.lstat()
    except OSError:
        return False
    if sys.platform == "win32":
        return not stat.S_ISLNK(status.st_mode)
    mode = stat.S_IMODE(status.st_mode)
    return not stat.S_ISLNK(status.st_mode) and status.st_uid == os.getuid() and not mode & ~allowed


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object; it is empty if the file is missing, damaged, too large or not regular."""
    try:
        if not file.is_file() or file.stat().st_size > MAX_JSON_BYTES:
            return {}
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
