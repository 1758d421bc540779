"""From a model's name or path to a model that is ready to predict."""

import contextlib
import difflib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_cli.calibration import Calibration
from mnist_cli.errors import ModelError, UnknownModelError
from mnist_cli.option_types import RuntimeChoice
from mnist_cli.package_data import data_folder
from mnist_cli.runtimes import Batch, Runtime, is_installed
from mnist_cli.saved_model import GRAPH_FILE, SavedModel

if TYPE_CHECKING:
    from mnist_cli.runtimes.frozen_graph import FrozenGraph

SHIPPED_MODELS = data_folder("saved_models")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Model:
    """A model that is ready to predict; safe to call from many threads."""

    name: str
    statistics: dict[str, Any]
    runtime: Runtime
    calibration: Calibration

    def predict_proba(self, batch: Batch) -> Batch:
        """Pictures [N, 784] float32, ink 1.0 and paper 0.0 -> probabilities [N, 10] float32.

        Each row sums to 1.
        """
        return self.calibration.calibrated(self.runtime.predict_proba(batch))


def load_model(
    name_or_path: str, *, model_dir: Path | None = None, runtime: RuntimeChoice = "auto"
) -> Model:
    """Load one of the models of `model_dir` by its name, or any SavedModel folder by its path.

    `auto` runs the compiled model in LiteRT if there is a fresh one; otherwise it runs the
    SavedModel in TensorFlow and compiles it for the next time.

    Raises:
        ModelError: there is no such model, it is damaged or does not fit, or the runtime that it
            needs is not installed.
    """
    saved_model = find_model(name_or_path, model_dir=model_dir)
    try:
        engine = _runtime(saved_model, runtime)
    except ModelError as error:
        raise ModelError(f"model {saved_model.name} ({saved_model.path}) {error}") from error
    logger.info("model %s from %s runs in %s", saved_model.name, saved_model.path, engine.name)
    return Model(saved_model.name, saved_model.statistics, engine, saved_model.calibration)


def find_model(name_or_path: str, *, model_dir: Path | None = None) -> SavedModel:
    """Find a model on disk; a folder of numbered versions means the highest of them.

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
            raise ModelError(f"{path}: not a SavedModel, the folder has no {GRAPH_FILE}")
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from error
    if path.name != name_or_path:
        raise ModelError(f"{path}: no such folder; --model takes a name or a SavedModel folder")
    if not models:
        raise no_models_error(model_dir)
    matches = difflib.get_close_matches(name_or_path, models, n=1)
    hint = f"did you mean {matches[0]}? " if matches else ""
    raise UnknownModelError(f"no model named {name_or_path!r}: {hint}there are {', '.join(models)}")


def find_models(model_dir: Path | None = None) -> list[SavedModel]:
    """All models of a folder, by default of those that come with the package, sorted by name."""
    try:
        folders = sorted((model_dir or SHIPPED_MODELS).iterdir())
    except OSError:
        return []
    found = []
    for folder in folders:
        with contextlib.suppress(OSError):  # one that cannot be read must not hide the others
            if model := _saved_model(folder):
                found.append(model)
    return found


def no_models_error(model_dir: Path | None) -> ModelError:
    """What to raise where `find_models` finds none."""
    return ModelError(f"no models in {model_dir or SHIPPED_MODELS}: check --model-dir")


def _saved_model(folder: Path) -> SavedModel | None:
    name = Path(os.path.abspath(folder)).name  # as the user wrote it: a link keeps its own name
    if (folder / GRAPH_FILE).is_file():
        return SavedModel(name, folder)
    versions = [version for version in folder.glob("[0-9]*") if version.name.isdecimal()]
    for version in sorted(versions, key=lambda version: int(version.name), reverse=True):
        if (version / GRAPH_FILE).is_file():
            return SavedModel(name, version)
    return None


def _runtime(saved_model: SavedModel, choice: RuntimeChoice) -> Runtime:
    use_litert = choice == "litert" or (choice == "auto" and is_installed("ai_edge_litert"))
    if use_litert and (runtime := _litert_runtime(saved_model)):
        return runtime
    from mnist_cli.runtimes.tensorflow import TensorFlowRuntime

    tensorflow = TensorFlowRuntime(saved_model.path)
    if not use_litert:
        return tensorflow
    try:
        _compile_to_cache(saved_model, tensorflow.graph)
    except ModelError as error:
        if choice == "litert":
            raise
        logger.info("model %s stays with TensorFlow: %s", saved_model.name, error)
    if choice == "litert":
        if runtime := _litert_runtime(saved_model):
            return runtime
        raise ModelError("cannot be run in LiteRT: see the warnings")
    return tensorflow


def _litert_runtime(saved_model: SavedModel) -> Runtime | None:
    from mnist_cli.runtimes.litert import LiteRTRuntime

    for compiled in saved_model.compiled():
        try:
            return LiteRTRuntime(compiled.read())
        except ModelError as error:
            logger.warning("compiled model of %s is passed over: %s", saved_model.name, error)
    return None


def _compile_to_cache(saved_model: SavedModel, graph: "FrozenGraph") -> None:
    """Compile a model into the user's cache.

    Raises:
        ModelError: it cannot be compiled, or the cache cannot be written.
    """
    from mnist_cli.compiler import compile_frozen_graph

    try:
        compile_frozen_graph(graph, saved_model, saved_model.cache_folder)
    except OSError as error:
        raise ModelError(f"cannot be compiled into the cache: {error}") from error
    logger.info("compiled %s into %s", saved_model.name, saved_model.cache_folder)
