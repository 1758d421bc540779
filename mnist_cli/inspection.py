"""Describes a model: runtime, sizes, statistics and signatures."""

from pathlib import Path

from mnist_cli.errors import ModelError
from mnist_cli.loader import load
from mnist_cli.records import CompiledState, GraphDescription, ModelCard, ModelSummary
from mnist_cli.runtimes import is_installed
from mnist_cli.saved_model import GRAPH_FILE, CompiledModel, SavedModel


def summarize(saved_model: SavedModel) -> ModelSummary:
    """Summarize a model without TensorFlow.

    The compatibility of a model without a fresh compiled form is not checked.
    """
    return _summary(saved_model, _fresh_compiled_model(saved_model))


def inspect(saved_model: SavedModel) -> ModelCard:
    """Return the summary of a model, and its signatures, variables, operations and self-test.

    A model without a fresh compiled form is compiled.

    Raises:
        ModelError: the model is damaged, or TensorFlow is required and not installed.
    """
    compiled = _fresh_compiled_model(saved_model)
    description: GraphDescription
    self_test, problem = None, None
    if not compiled:
        from mnist_cli.compiler import describe_graph

        description = describe_graph(saved_model.path)
        try:
            self_test = load(saved_model).description["self_test"]
        except ModelError as error:
            problem = str(error.__cause__ or error)
        compiled = _fresh_compiled_model(saved_model)
    if compiled:
        description = compiled.description
        self_test = compiled.description["self_test"]
    summary = _summary(saved_model, compiled)
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


def _summary(saved_model: SavedModel, compiled: CompiledModel | None) -> ModelSummary:
    runtime, problem = None, None
    if compiled and is_installed("ai_edge_litert"):
        runtime = "litert"
    elif is_installed("tensorflow"):
        runtime = "tensorflow"
    else:
        problem = "TensorFlow is required; install it with: pip install tensorflow"
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
