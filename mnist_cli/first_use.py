"""Loads a model that is not in the cache: converts, tests and compiles it, and keeps the result."""

import hashlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_cli.cache import write_failure_to_cache, write_to_cache
from mnist_cli.compiler import check_compiled, compile_loaded, compiler_version, describe_graph
from mnist_cli.conventions import CONVENTIONS, self_test_text
from mnist_cli.errors import ModelError, UnsupportedByLiteRTError
from mnist_cli.model_file import KerasFile, TFLiteFile
from mnist_cli.records import GraphDescription, ModelDescription, SelfTest
from mnist_cli.runtimes import Runtime
from mnist_cli.runtimes.tflite_file import TFLiteFileRuntime
from mnist_cli.self_test import MIN_CORRECT, run_self_test
from mnist_cli.stored_model import COMPILED_FORMAT, StoredModel
from mnist_cli.terminal import NOTICE

if TYPE_CHECKING:
    from mnist_cli.runtimes.tensorflow import TensorFlowRuntime

logger = logging.getLogger(__name__)


def load_uncompiled(stored: StoredModel, *, compile: bool) -> tuple[Runtime, ModelDescription]:
    """Load a SavedModel or Keras file in TensorFlow.

    With `compile`, it is compiled into the cache, if LiteRT supports it.

    Raises:
        ModelError: TensorFlow is not installed, or the model is damaged or not supported.
    """
    if isinstance(stored, KerasFile):
        from mnist_cli.runtimes.keras_file import converted

        with converted(stored.path) as folder:
            return _load_saved_model(stored, folder, compile)
    return _load_saved_model(stored, stored.path, compile)


def _load_saved_model(
    stored: StoredModel, folder: Path, compile: bool
) -> tuple[Runtime, ModelDescription]:
    from mnist_cli.runtimes.tensorflow import load_saved_model

    runtime = load_saved_model(folder)
    if not compile:
        for known in stored.compiled():
            return runtime, known.description
    graph = describe_graph(folder)
    failure = stored.failed_compilation()
    if failure and failure["compiler"] == compiler_version():
        return runtime, {**graph, "self_test": failure["self_test"]}
    description = _tested(stored, graph, run_self_test(runtime, runtime.labels))
    if compile:
        try:
            _compile_into_cache(stored, runtime, description)
            logger.info("compiled model %s into %s", stored.name, stored.cache_folder)
        except ModelError as error:
            logger.info("model %s is not compiled: %s", stored.name, error)
    return runtime, description


def _compile_into_cache(
    stored: StoredModel, runtime: "TensorFlowRuntime", description: ModelDescription
) -> None:
    """Compile a model, or note that it cannot be compiled.

    Raises:
        ModelError: LiteRT cannot run it, the model was replaced, or the cache cannot be written.
    """
    try:
        card, compiled = compile_loaded(runtime, description, stored.fingerprint)
        check_compiled(compiled, runtime, description)
    except UnsupportedByLiteRTError as error:
        _check_unchanged(stored)
        write_failure_to_cache(
            stored,
            {
                "format": COMPILED_FORMAT,
                "fingerprint": stored.fingerprint,
                "compiler": compiler_version(),
                "problem": str(error),
                "self_test": description["self_test"],
            },
        )
        raise
    _check_unchanged(stored)
    write_to_cache(stored, card, compiled)


def load_tflite(stored: TFLiteFile) -> tuple[Runtime, ModelDescription]:
    """Load and test a `.tflite` file, and keep its description in the cache.

    Raises:
        ModelError: the file is damaged or not supported.
    """
    content = stored.read()
    runtime = TFLiteFileRuntime(content)
    result = run_self_test(runtime, limits=runtime.input_limits)
    description = _tested(stored, runtime.describe(), result)
    try:
        _check_unchanged(stored)
        write_to_cache(
            stored,
            {
                **description,
                "format": COMPILED_FORMAT,
                "fingerprint": stored.fingerprint,
                "compiler": "the author of the model",
                "precision": runtime.precision,
                "sha256": hashlib.sha256(content).hexdigest(),
            },
        )
    except ModelError as error:
        logger.info("the self-test of model %s is not stored: %s", stored.name, error)
    return runtime, description


def _check_unchanged(stored: StoredModel) -> None:
    """Check that the fingerprint, which was computed before, is that of the loaded model.

    Raises:
        ModelError: the model was replaced while it was loaded.
    """
    if type(stored)(stored.name, stored.path).fingerprint != stored.fingerprint:
        raise ModelError("the model was replaced while it was loaded")


def _tested(
    stored: StoredModel,
    graph: GraphDescription,
    result: SelfTest,
) -> ModelDescription:
    """Add the result of the self-test to a description, and report it."""
    message = f"model {stored.name}: self-test {self_test_text(result)}"
    if result["correct"] >= MIN_CORRECT:
        logger.log(NOTICE, message)
    else:
        logger.warning(
            f"{message}; the best of {len(CONVENTIONS)} ways to show it a digit, so it may not "
            "classify digits, or expect other images"
        )
    return {**graph, "self_test": result}
