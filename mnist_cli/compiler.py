"""Compiles a SavedModel for LiteRT, with TensorFlow."""

import collections
import hashlib
import math
from pathlib import Path

import numpy as np

from mnist_cli.cache import write_compiled
from mnist_cli.conventions import CONVENTIONS
from mnist_cli.errors import ModelError, UnsupportedByLiteRTError, reason
from mnist_cli.native_output import native_output_hidden
from mnist_cli.records import GraphDescription, ModelDescription, Precision, Variable
from mnist_cli.runtimes.litert import LiteRTRuntime
from mnist_cli.runtimes.meta_graph import import_tensorflow, read_meta_graph, signatures
from mnist_cli.runtimes.tensorflow import TensorFlowRuntime, load_saved_model
from mnist_cli.saved_model import SavedModel
from mnist_cli.self_test import load_digits, run_self_test
from mnist_cli.stored_model import COMPILED_FORMAT, CompiledDescription

MAX_DIFFERENCE = 0.02
"""Of probabilities; chosen so that the rounding of float16 models passes."""


def compile_model(folder: Path, target: Path, precision: Precision = "float32") -> None:
    """Compile the SavedModel in `folder`; write model.tflite and model.json to `target`.

    With the precision `int8`, weights are stored in 8 bits, and the activations of each row of a
    batch are quantized when it is computed (dynamic range quantization of LiteRT).

    Raises:
        ModelError: the model is damaged, not supported, or has operations that LiteRT lacks.
        OSError: `target` cannot be written.
    """
    runtime = load_saved_model(folder)
    self_test = run_self_test(runtime, runtime.labels)
    description: ModelDescription = {**describe_graph(folder), "self_test": self_test}
    fingerprint = SavedModel(folder.name, folder).fingerprint
    target.mkdir(parents=True, exist_ok=True)
    write_compiled(target, *compile_loaded(runtime, description, fingerprint, precision))


def compile_loaded(
    runtime: TensorFlowRuntime,
    description: ModelDescription,
    fingerprint: str,
    precision: Precision = "float32",
) -> tuple[CompiledDescription, bytes]:
    """Compile a loaded SavedModel; returns the content of model.json and of model.tflite.

    Raises:
        UnsupportedByLiteRTError: the model has operations that LiteRT lacks.
    """
    tf = import_tensorflow()
    with native_output_hidden():
        converter = tf.compat.v1.lite.TFLiteConverter.from_session(
            runtime.session, [runtime.batch], [runtime.probabilities]
        )
        if precision == "int8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        try:
            compiled: bytes = converter.convert()
        except Exception as error:  # the C++ passes of the converter raise errors of any type
            problem = f"LiteRT cannot run it: {reason(error)}"
            raise UnsupportedByLiteRTError(problem) from error
    card: CompiledDescription = {
        **description,
        "format": COMPILED_FORMAT,
        "fingerprint": fingerprint,
        "compiler": compiler_version(),
        "precision": precision,
        "sha256": hashlib.sha256(compiled).hexdigest(),
    }
    return card, compiled


def check_compiled(
    compiled: bytes, runtime: TensorFlowRuntime, description: ModelDescription
) -> None:
    """Check on the digits of the self-test that a compiled float32 model computes the same scores.

    Raises:
        UnsupportedByLiteRTError: it does not. The converter translates some operations wrongly.
    """
    images, _ = load_digits()
    batch = CONVENTIONS[description["self_test"]["input"]].apply(images)
    expected = runtime.predict_proba(batch)
    try:
        scores = LiteRTRuntime(compiled).predict_proba(batch)
    except (ValueError, RuntimeError) as error:
        raise UnsupportedByLiteRTError(f"LiteRT cannot run it: {reason(error)}") from error
    if scores.shape != expected.shape or not np.allclose(
        scores, expected, rtol=0, atol=MAX_DIFFERENCE, equal_nan=True
    ):
        raise UnsupportedByLiteRTError("LiteRT computes other scores than TensorFlow")


def compiler_version() -> str:
    return f"tensorflow {import_tensorflow().__version__}"


def describe_graph(folder: Path) -> GraphDescription:
    """Return the tags, signatures, variables and operations of a SavedModel, supported or not.

    Raises:
        ModelError: the model is damaged.
    """
    tf = import_tensorflow()
    meta = read_meta_graph(folder)
    variables: list[Variable] = []
    if (folder / "variables" / "variables.index").exists():
        try:
            reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        except (tf.errors.OpError, ValueError) as error:
            raise ModelError(f"damaged variables: {reason(error)}") from error
        dtypes = reader.get_variable_to_dtype_map()
        variables = [
            {"name": name, "dtype": dtypes[name].name, "shape": shape}
            for name, shape in sorted(reader.get_variable_to_shape_map().items())
            if dtypes[name] != tf.string  # the object graph of TensorFlow 2
        ]
    nodes = [
        *meta.graph_def.node,
        *(node for function in meta.graph_def.library.function for node in function.node_def),
    ]
    return {
        "tags": sorted(meta.meta_info_def.tags),
        "tensorflow": meta.meta_info_def.tensorflow_version,
        "signatures": signatures(meta),
        "variables": variables,
        "parameters": sum(
            math.prod(variable["shape"]) for variable in variables if "float" in variable["dtype"]
        ),
        "operations": dict(sorted(collections.Counter(node.op for node in nodes).items())),
    }
