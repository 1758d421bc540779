"""Describes a model: runtime, sizes, statistics and signatures."""

from mnist_cli.errors import ModelError, install_hint
from mnist_cli.loader import load
from mnist_cli.model_file import TFLiteFile
from mnist_cli.records import CompiledState, GraphDescription, ModelCard, ModelSummary
from mnist_cli.runtimes import is_installed
from mnist_cli.saved_model import SavedModel
from mnist_cli.stored_model import CompiledModel, StoredModel
from mnist_cli.terminal import Status


def summarize(stored: StoredModel) -> ModelSummary:
    """Summarize a model without TensorFlow.

    The compatibility of a model without a fresh compiled form is not checked.
    """
    return _summary(stored, _fresh_compiled_model(stored))


def inspect(stored: StoredModel, status: Status) -> ModelCard:
    """Return the summary of a model, and its signatures, variables, operations and self-test.

    A model without a fresh compiled form is compiled, while `status` shows a message.

    Raises:
        ModelError: the model is damaged, or TensorFlow is required and not installed.
    """
    compiled = _fresh_compiled_model(stored)
    description: GraphDescription
    self_test, problem = None, None
    if not compiled:
        try:
            model = load(stored, status=status)
            description, self_test = model.description, model.description["self_test"]
        except ModelError as error:
            if not isinstance(stored, SavedModel):
                raise
            from mnist_cli.compiler import describe_graph

            description, problem = describe_graph(stored.path), str(error.__cause__ or error)
        compiled = _fresh_compiled_model(stored)
    if compiled:
        description = compiled.description
        self_test = compiled.description["self_test"]
    summary = _summary(stored, compiled)
    if problem:
        summary["runtime"], summary["problem"] = None, problem
    return {
        **summary,
        "self_test": self_test,
        "tags": description["tags"],
        "tensorflow": description["tensorflow"],
        "signatures": description["signatures"],
        "variables": description["variables"],
        "parameters": description["parameters"],
        "operations": description["operations"],
    }


def _summary(stored: StoredModel, compiled: CompiledModel | None) -> ModelSummary:
    runtime, problem = None, None
    is_tflite = isinstance(stored, TFLiteFile)
    if (compiled or is_tflite) and is_installed("ai_edge_litert"):
        runtime = "litert"
    elif is_tflite:
        problem = "LiteRT is required: run pip install ai-edge-litert"
    elif is_installed("tensorflow"):
        runtime = "tensorflow"
    else:
        problem = f"TensorFlow is required: {install_hint('tensorflow')}"
    return {
        "model": stored.name,
        "path": str(stored.path),
        "statistics": stored.statistics,
        "fingerprint": stored.fingerprint,
        "compiled": _compiled_state(stored, compiled),
        "runtime": runtime,
        "problem": problem,
        "sizes": _sizes(stored, compiled),
    }


def _fresh_compiled_model(stored: StoredModel) -> CompiledModel | None:
    for compiled in stored.compiled():
        try:
            compiled.read()
        except ModelError:
            continue
        return compiled
    return None


def _compiled_state(stored: StoredModel, compiled: CompiledModel | None) -> CompiledState:
    if compiled:
        return {
            "state": "fresh",
            "file": str(compiled.file),
            "compiler": compiled.description["compiler"],
            "precision": compiled.description["precision"],
        }
    if any(stored.compiled()):
        return {"state": "damaged"}
    extras = stored.extras_folder
    is_stale = extras is not None and (extras / "model.tflite").exists()
    return {"state": "stale" if is_stale else "missing"}


def _sizes(stored: StoredModel, compiled: CompiledModel | None) -> dict[str, int]:
    if compiled is None or compiled.file == stored.path:
        return stored.sizes
    return {**stored.sizes, "compiled": compiled.file.stat().st_size}
