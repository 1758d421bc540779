"""Finds models by name or path and loads them into a runtime."""

import contextlib
import difflib
import functools
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from mnist_cli.calibration import Calibration
from mnist_cli.class_labels import select_classes
from mnist_cli.conventions import CONVENTIONS, Convention
from mnist_cli.errors import ModelError, UnknownModelError
from mnist_cli.model_file import SUPPORTED_SUFFIXES, UNSUPPORTED_SUFFIXES, TFLiteFile, model_file
from mnist_cli.option_types import InputConvention, RuntimeChoice
from mnist_cli.package_data import data_folder
from mnist_cli.records import ModelDescription, Statistics
from mnist_cli.runtimes import Batch, Runtime, Scores, is_installed
from mnist_cli.saved_model import GRAPH_FILE, SavedModel
from mnist_cli.stored_model import StoredModel
from mnist_cli.terminal import Status

SHIPPED_MODELS = data_folder("saved_models")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A loaded model, returned by `load_model`; safe to call from many threads."""

    name: str
    statistics: Statistics
    runtime: Runtime
    calibration: Calibration
    description: ModelDescription
    convention: Convention

    def predict_proba(self, batch: Batch) -> Scores:
        """Return the calibrated probabilities of the ten digits for each image.

        Args:
            batch: float32 [N, 784], foreground 1.0 and background 0.0.

        Returns:
            float32 [N, 10]; each row sums to 1.
        """
        return self.predict_tensors(self.convention.apply(batch))

    def predict_tensors(self, batch: Batch) -> Scores:
        """Do the same for images in the convention of the model."""
        scores = select_classes(self.runtime.predict_proba(batch), self._classes)
        return self.calibration.calibrated(scores)

    @functools.cached_property
    def _classes(self) -> tuple[int, ...]:
        """The columns of the ten digits in the scores of the runtime."""
        return tuple(self.description["self_test"]["classes"])


def load_model(
    name_or_path: str,
    *,
    model_dir: Path | None = None,
    runtime: RuntimeChoice = "auto",
    input: InputConvention | None = None,
    status: Status = contextlib.nullcontext,
) -> Model:
    """Load a model of `model_dir` by name, or any model by path: a SavedModel or a file.

    The runtime `auto` runs the compiled model in LiteRT if there is one for exactly this model.
    Otherwise it runs the model in TensorFlow and compiles it for the next call. `input` is the
    convention of its images; by default the one that the self-test has found. `status` shows a
    message while the model is compiled.

    Raises:
        ModelError: the model is missing, damaged or not supported, or the runtime that it requires
            is not installed.
    """
    stored = find_model(name_or_path, model_dir=model_dir)
    return load(stored, runtime=runtime, input=input, status=status)


def load(
    stored: StoredModel,
    *,
    runtime: RuntimeChoice = "auto",
    input: InputConvention | None = None,
    status: Status = contextlib.nullcontext,
) -> Model:
    """Load a model that `find_model` has found, as `load_model` does."""
    try:
        loaded, description = _load_runtime(stored, runtime, status)
    except ModelError as error:
        place = f"model {stored.name} ({stored.path})"
        raise ModelError(f"{place}: {error.problem}", error.tip) from error
    logger.info("model %s from %s runs in %s", stored.name, stored.path, loaded.name)
    return Model(
        stored.name,
        stored.statistics,
        loaded,
        stored.calibration,
        description,
        CONVENTIONS[input or description["self_test"]["input"]],
    )


def find_model(name_or_path: str, *, model_dir: Path | None = None) -> StoredModel:
    """Find a model by name or path; in a folder of numbered versions, the highest version.

    Raises:
        ModelError: there is no such model.
    """
    models = {model.name: model for model in find_models(model_dir)}
    if name_or_path in models:
        return models[name_or_path]
    path = Path(name_or_path)
    is_name = path.name == name_or_path
    for candidate in (path, (model_dir or SHIPPED_MODELS) / path) if is_name else (path,):
        try:
            if stored := _stored_model(candidate):
                return stored
            if candidate.exists():
                raise ModelError(f"{candidate}: {_problem(candidate)}")
        except OSError as error:
            raise ModelError(f"{candidate}: {error.strerror}") from error
    if not is_name or path.suffix.lower() in SUPPORTED_SUFFIXES:
        raise ModelError(f"{path}: no such file or folder; expected a model name or a model")
    if not models:
        raise no_models_error(model_dir)
    matches = difflib.get_close_matches(name_or_path, models, n=1)
    tip = f"did you mean {matches[0]}?" if matches else f"choose one of {', '.join(models)}"
    raise UnknownModelError(f"no model named {name_or_path!r}", tip)


def find_models(model_dir: Path | None = None) -> list[StoredModel]:
    """Return the models in a folder, sorted by name; by default the shipped models.

    Of several with the same name, such as `mine.h5` and `mine.tflite`, the first is returned.
    """
    try:
        paths = sorted((model_dir or SHIPPED_MODELS).iterdir())
    except OSError:
        return []
    found: dict[str, StoredModel] = {}
    for path in paths:
        with contextlib.suppress(OSError):  # an unreadable folder must not hide the others
            if model := _stored_model(path):
                found.setdefault(model.name, model)
    return [found[name] for name in sorted(found)]


def no_models_error(model_dir: Path | None) -> ModelError:
    """The error to raise if `find_models` returns no models."""
    return ModelError(f"no models in {model_dir or SHIPPED_MODELS}", "check --model-dir")


def _stored_model(path: Path) -> StoredModel | None:
    name = Path(os.path.abspath(path)).name  # a symbolic link keeps its own name
    if found := model_file(Path(name).stem, path):
        return found
    if (path / GRAPH_FILE).is_file():
        return SavedModel(name, path)
    versions = [version for version in path.glob("[0-9]*") if version.name.isdecimal()]
    for version in sorted(versions, key=lambda version: int(version.name), reverse=True):
        if (version / GRAPH_FILE).is_file():
            return SavedModel(name, version)
    files = _model_files(path)
    return model_file(name, files[0]) if len(files) == 1 else None


def _model_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if model_file(path.stem, path))


def _problem(path: Path) -> str:
    """Return why a file or folder that exists is not a model."""
    if path.is_dir():
        if files := _model_files(path):
            return f"contains several models: choose {' or '.join(file.name for file in files)}"
        return f"not a model: the folder contains neither {GRAPH_FILE} nor a .keras, .h5 or .tflite"
    if path.name == GRAPH_FILE:
        return f"part of a SavedModel: pass its folder, {path.parent}"
    if problem := UNSUPPORTED_SUFFIXES.get(path.suffix.lower()):
        return problem
    return "not a model: expected the folder of a SavedModel, or a .keras, .h5 or .tflite file"


def _load_runtime(
    stored: StoredModel, choice: RuntimeChoice, status: Status
) -> tuple[Runtime, ModelDescription]:
    use_litert = choice == "litert" or (choice == "auto" and is_installed("ai_edge_litert"))
    is_tflite = isinstance(stored, TFLiteFile)
    if is_tflite and choice == "tensorflow":
        raise ModelError("TensorFlow cannot run a .tflite file")
    if (use_litert or is_tflite) and (found := _litert_runtime(stored)):
        return found
    from mnist_cli.cache import compile_lock
    from mnist_cli.first_use import load_tflite, load_uncompiled

    if isinstance(stored, TFLiteFile):
        return load_tflite(stored)
    message = f"compiling {stored.name} with TensorFlow, once ..."
    with status(message), compile_lock(stored) as has_waited:
        if use_litert and has_waited and (found := _litert_runtime(stored)):
            return found
        logger.info(message)
        loaded = load_uncompiled(stored, compile=use_litert)
    if choice != "litert":
        return loaded
    if found := _litert_runtime(stored):
        return found
    failure = stored.failed_compilation()
    raise ModelError(failure["problem"] if failure else "the compiled model cannot be stored")


def _litert_runtime(stored: StoredModel) -> tuple[Runtime, ModelDescription] | None:
    from mnist_cli.runtimes.litert import LiteRTRuntime

    for compiled in stored.compiled():
        try:
            if isinstance(stored, TFLiteFile):
                from mnist_cli.runtimes.tflite_file import TFLiteFileRuntime

                return TFLiteFileRuntime(compiled.read()), compiled.description
            return LiteRTRuntime(compiled.read()), compiled.description
        except ModelError as error:
            logger.warning("ignoring the compiled model of %s: %s", stored.name, error)
    return None
