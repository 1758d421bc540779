"""Describes a model: runtime, sizes, statistics and signatures."""

from pathlib import Path

from mnist_cli.errors import ModelError, install_hint
from mnist_cli.records import CompiledState, ModelCard, ModelDescription, ModelSummary
from mnist_cli.runtimes import is_installed
from mnist_cli.saved_model import GRAPH_FILE, CompiledModel, SavedModel


def summarize(saved_model: SavedModel) -> ModelSummary:
    """Summarize a model without TensorFlow.

    The compatibility of a model without a fresh compiled form is not checked.
    """
    return _summary(saved_model, _fresh_compiled_model(saved_model))


def inspect(saved_model: SavedModel) -> ModelCard:
    """Return the summary of a model, and its tags, signatures, variables and operations.

    TensorFlow is imported only for a model without a fresh compiled form.

    Raises:
        ModelError: the model is damaged, or TensorFlow is required and not installed.
    """
    compiled = _fresh_compiled_model(saved_model)
    summary = _summary(saved_model, compiled)
    description: ModelDescription
    if compiled:
        description = compiled.description
    else:
        from mnist_cli.compiler import describe
        from mnist_cli.runtimes.tensorflow import load_saved_model

        description = describe(saved_model.path)
        try:
            load_saved_model(saved_model.path)
        except ModelError as error:
            summary["runtime"], summary["problem"] = None, str(error)
    return {
        **summary,
        "tags": description["tags"],
        "tensorflow": description["tensorflow"],
        "signatures": description["signatures"],
        "variables": description["variables"],
        "parameters": description["parameters"],
        "operations": description["operations"],
    }


def _summary(saved_model: SavedModel, compiled: CompiledModel | None) -> ModelSummary:
    runtime, problem = None, None
    if compiled and is_installed("ai_edge_litert"):
        runtime = "litert"
    elif is_installed("tensorflow"):
        runtime = "tensorflow"
    else:
        problem = f"TensorFlow is required: {install_hint('tensorflow')}"
    return {
        "model": saved_model.name,
        "path": str(saved_model.path),
        "statistics": saved_model.statistics,
        "fingerprint": saved_model.fingerprint,
        "compiled": _compiled_state(saved_model, compiled),
        "runtime": runtime,
        "problem": problem,
        "sizes": _sizes(saved_model, compiled),
    }


def _fresh_compiled_model(saved_model: SavedModel) -> CompiledModel | None:
    for compiled in saved_model.compiled():
        try:
            compiled.read()
        except ModelError:
            continue
        return compiled
    return None


def _compiled_state(saved_model: SavedModel, compiled: CompiledModel | None) -> CompiledState:
    if compiled:
        return {
            "state": "fresh",
            "file": str(compiled.file),
            "compiler": compiled.description["compiler"],
            "precision": compiled.description["precision"],
        }
    if any(saved_model.compiled()):
        return {"state": "damaged"}
    is_stale = (saved_model.extras_folder / "model.tflite").exists()
    return {"state": "stale" if is_stale else "missing"}


def _sizes(saved_model: SavedModel, compiled: CompiledModel | None) -> dict[str, int]:
    sizes = {
        "graph": _size(saved_model.path / GRAPH_FILE),
        "variables": sum(map(_size, saved_model.path.glob("variables/*"))),
    }
    return sizes | ({"compiled": _size(compiled.file)} if compiled else {})


def _size(file: Path) -> int:
    return file.stat().st_size
