"""Finds models by name or path and loads them into a runtime."""

import contextlib
import difflib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_cli.calibration import Calibration
from mnist_cli.class_labels import select_classes
from mnist_cli.conventions import CONVENTIONS, Convention, self_test_text
from mnist_cli.errors import ModelError, UnknownModelError
from mnist_cli.option_types import InputConvention, RuntimeChoice
from mnist_cli.package_data import data_folder
from mnist_cli.records import ModelDescription, Statistics
from mnist_cli.runtimes import Batch, Runtime, Scores, is_installed
from mnist_cli.saved_model import GRAPH_FILE, SavedModel
from mnist_cli.terminal import NOTICE

if TYPE_CHECKING:
    from mnist_cli.runtimes.tensorflow import TensorFlowRuntime

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
        classes = tuple(self.description["self_test"]["classes"])
        scores = select_classes(self.runtime.predict_proba(batch), classes)
        return self.calibration.calibrated(scores)


def load_model(
    name_or_path: str,
    *,
    model_dir: Path | None = None,
    runtime: RuntimeChoice = "auto",
    input: InputConvention | None = None,
) -> Model:
    """Load a model of `model_dir` by name, or any SavedModel folder by path.

    The runtime `auto` runs the compiled model in LiteRT if there is one for this SavedModel.
    Otherwise it runs the SavedModel in TensorFlow and compiles it for the next call. `input` is the
    convention of its images; by default the one that the self-test has found.

    Raises:
        ModelError: the model is missing, damaged or not supported, or the runtime that it requires
            is not installed.
    """
    return load(find_model(name_or_path, model_dir=model_dir), runtime=runtime, input=input)


def load(
    saved_model: SavedModel,
    *,
    runtime: RuntimeChoice = "auto",
    input: InputConvention | None = None,
) -> Model:
    """Load a model that `find_model` has found, as `load_model` does."""
    try:
        loaded, description = _load_runtime(saved_model, runtime)
    except ModelError as error:
        raise ModelError(f"model {saved_model.name} ({saved_model.path}): {error}") from error
    logger.info("model %s from %s runs in %s", saved_model.name, saved_model.path, loaded.name)
    return Model(
        saved_model.name,
        saved_model.statistics,
        loaded,
        saved_model.calibration,
        description,
        CONVENTIONS[input or description["self_test"]["input"]],
    )


def find_model(name_or_path: str, *, model_dir: Path | None = None) -> SavedModel:
    """Find a model by name or path; in a folder of numbered versions, the highest version.

    Raises:
        ModelError: there is no such model.
    """
    models = {model.name: model for model in find_models(model_dir)}
    if name_or_path in models:
        return models[name_or_path]
    path = Path(name_or_path)
    try:
        if saved_model := _saved_model(path):
            return saved_model
        if path.is_dir():
            raise ModelError(f"{path}: not a SavedModel: the folder does not contain {GRAPH_FILE}")
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    if path.name != name_or_path:
        raise ModelError(f"{path}: no such folder; expected a model name or a SavedModel folder")
    if not models:
        raise no_models_error(model_dir)
    matches = difflib.get_close_matches(name_or_path, models, n=1)
    hint = f"; did you mean {matches[0]}?" if matches else ""
    available = ", ".join(models)
    raise UnknownModelError(f"no model named {name_or_path!r}{hint} (available: {available})")


def find_models(model_dir: Path | None = None) -> list[SavedModel]:
    """Return the models in a folder, sorted by name; by default the shipped models."""
    try:
        folders = sorted((model_dir or SHIPPED_MODELS).iterdir())
    except OSError:
        return []
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):  # an unreadable folder must not hide the others
            if model := _saved_model(folder):
                found.append(model)
    return found


def no_models_error(model_dir: Path | None) -> ModelError:
    """The error to raise if `find_models` returns no models."""
    return ModelError(f"no models in {model_dir or SHIPPED_MODELS}: check --model-dir")


def _saved_model(folder: Path) -> SavedModel | None:
    name = Path(os.path.abspath(folder)).name  # a symbolic link keeps its own name
    if (folder / GRAPH_FILE).is_file():
        return SavedModel(name, folder)
    versions = [version for version in folder.glob("[0-9]*") if version.name.isdecimal()]
    for version in sorted(versions, key=lambda version: int(version.name), reverse=True):
        if (version / GRAPH_FILE).is_file():
            return SavedModel(name, version)
    return None


def _load_runtime(
    saved_model: SavedModel, choice: RuntimeChoice
) -> tuple[Runtime, ModelDescription]:
    use_litert = choice == "litert" or (choice == "auto" and is_installed("ai_edge_litert"))
    if use_litert and (found := _litert_runtime(saved_model)):
        return found
    from mnist_cli.runtimes.tensorflow import load_saved_model

    tensorflow = load_saved_model(saved_model.path)
    if not use_litert:
        known = (compiled.description for compiled in saved_model.compiled())
        return tensorflow, next(known, None) or _describe(saved_model, tensorflow)
    description = _describe(saved_model, tensorflow)
    try:
        _compile_to_cache(saved_model, tensorflow, description)
    except ModelError as error:
        if choice == "litert":
            raise
        logger.info("model %s is not compiled: %s", saved_model.name, error)
    if choice == "litert":
        if found := _litert_runtime(saved_model):
            return found
        raise ModelError("LiteRT cannot run the compiled model, see the warnings above")
    return tensorflow, description


def _litert_runtime(saved_model: SavedModel) -> tuple[Runtime, ModelDescription] | None:
    from mnist_cli.runtimes.litert import LiteRTRuntime

    for compiled in saved_model.compiled():
        try:
            return LiteRTRuntime(compiled.read()), compiled.description
        except ModelError as error:
            logger.warning("ignoring the compiled model of %s: %s", saved_model.name, error)
    return None


def _describe(saved_model: SavedModel, runtime: "TensorFlowRuntime") -> ModelDescription:
    """Describe and test a model, and report the result of the test."""
    from mnist_cli.compiler import describe
    from mnist_cli.self_test import MIN_CORRECT

    description = describe(saved_model.path, runtime)
    result = description["self_test"]
    is_good = result["correct"] >= MIN_CORRECT
    logger.log(
        NOTICE if is_good else logging.WARNING,
        "model %s: self-test %s%s",
        saved_model.name,
        self_test_text(result),
        ""
        if is_good
        else f"; the best of {len(CONVENTIONS)} ways to show it a digit, so it may "
        "not classify digits, or expect other images",
    )
    return description


def _compile_to_cache(
    saved_model: SavedModel, runtime: "TensorFlowRuntime", description: ModelDescription
) -> None:
    """Compile a model into the user's cache.

    Raises:
        ModelError: the model cannot be compiled, or the cache cannot be written.
    """
    from mnist_cli.compiler import compile_loaded

    try:
        compile_loaded(runtime, description, saved_model.fingerprint, saved_model.cache_folder)
    except OSError as error:
        raise ModelError(f"cannot write the compiled model to the cache: {error}") from error
    logger.info("compiled model %s into %s", saved_model.name, saved_model.cache_folder)
