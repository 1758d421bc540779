"""The reference runtime: runs any supported SavedModel in TensorFlow."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnist_cli.errors import ModelError, install_hint
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes import Batch, Scores
from mnist_cli.signature import (
    ORIGINAL_TENSORS,
    Signatures,
    TensorInfo,
    TensorNames,
    select_tensors,
)


def import_tensorflow() -> Any:
    """Import TensorFlow and silence its messages.

    Raises:
        ModelError: TensorFlow is not installed or cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_output_hidden():
        try:
            import tensorflow as tf
        except ImportError as error:
            raise ModelError(
                f"TensorFlow is required but cannot be imported ({error}): "
                f"{install_hint('tensorflow')}"
            ) from error
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tf


@dataclass(frozen=True)
class TensorFlowRuntime:
    """A frozen graph from images to probabilities; returned by `load_saved_model`.

    The variables are constants, the images are reshaped to the model's input, dropout is off, and
    logits go through a softmax. The compiler takes the same graph.
    """

    name = "tensorflow"
    session: Any
    batch: Any
    """The input tensor, float32 [N, 784]."""
    probabilities: Any
    """The output tensor, float32 [N, 10]."""

    def predict_proba(self, batch: Batch) -> Scores:
        scores: Scores = self.session.run(self.probabilities, {self.batch: batch})
        return scores


def load_saved_model(folder: Path) -> TensorFlowRuntime:
    """Load a SavedModel.

    Raises:
        ModelError: TensorFlow is not installed, or the model is damaged or not supported.
    """
    with native_output_hidden():
        return _load(import_tensorflow(), folder)


def _load(tf: Any, folder: Path) -> TensorFlowRuntime:
    graph_def, tensors, image_shape = _freeze(folder)
    graph = tf.Graph()
    # Everything is in one graph, because eager functions could not be compiled afterwards.
    with graph.as_default():
        batch = tf.compat.v1.placeholder(tf.float32, [None, 784], "batch")
        inputs = {tensors.image: tf.reshape(batch, [-1, *image_shape])}
        inputs |= {f"{name}:0": tf.constant(off) for name, off in _switches(graph_def, tensors)}
        try:
            [scores] = tf.graph_util.import_graph_def(
                graph_def, input_map=inputs, return_elements=[tensors.scores], name="model"
            )
            scores.set_shape([None, 10])
            session = tf.compat.v1.Session(graph=graph)
            outputs = session.run(scores, {batch: _test_images()})
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise ModelError(f"the model cannot be run: {_first_line(error)}") from error
        is_softmax = _is_softmax(outputs)
        return TensorFlowRuntime(session, batch, scores if is_softmax else tf.nn.softmax(scores))


def read_meta_graph(folder: Path) -> Any:
    """Return the MetaGraphDef tagged `serve`, or else the first one.

    Raises:
        ModelError: `saved_model.pb` is damaged.
    """
    import_tensorflow()
    from tensorflow.python.saved_model.loader_impl import parse_saved_model

    try:
        graphs = parse_saved_model(str(folder)).meta_graphs
    except (OSError, ValueError) as error:
        raise ModelError(f"saved_model.pb is damaged: {_first_line(error)}") from error
    if not graphs:
        raise ModelError("saved_model.pb contains no graph")
    return next((graph for graph in graphs if "serve" in graph.meta_info_def.tags), graphs[0])


def signatures(meta: Any) -> Signatures:
    """Return the signatures of a MetaGraphDef, without TensorFlow's own init op."""
    return {
        name: {
            "inputs": {key: _tensor_info(info) for key, info in signature.inputs.items()},
            "outputs": {key: _tensor_info(info) for key, info in signature.outputs.items()},
            "method": signature.method_name,
        }
        for name, signature in meta.signature_def.items()
        if name != "__saved_model_init_op"
    }


def _tensor_info(info: Any) -> TensorInfo:
    import tensorflow as tf

    return _info(info.name, tf.dtypes.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape))


def _info(name: str, dtype: Any, shape: Any) -> TensorInfo:
    sizes = None if shape.rank is None else shape.as_list()
    return {"name": name, "dtype": dtype.name, "shape": sizes}


def _freeze(folder: Path) -> tuple[Any, TensorNames, list[int]]:
    """Return the graph with constants for variables, its tensors and the shape of one image."""
    import tensorflow as tf

    meta = read_meta_graph(folder)
    graph = tf.Graph()
    # A TensorFlow 1 session loads models of TensorFlow 1 and 2. `tf.saved_model.load` cannot
    # freeze the reference variables of TensorFlow 1.
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        try:
            tf.compat.v1.saved_model.load(session, list(meta.meta_info_def.tags), str(folder))
            tensors = select_tensors(signatures(meta) or _original_signature(graph))
            output = tensors.scores.rpartition(":")[0]
            graph_def = tf.compat.v1.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), [output]
            )
        except (tf.errors.OpError, OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"damaged or incomplete model: {_first_line(error)}") from error
        image_shape = graph.get_tensor_by_name(tensors.image).shape.as_list()[1:]
    _replace_random_numbers(graph_def)
    _drop_input_shapes(graph_def)
    return tf.compat.v1.graph_util.extract_sub_graph(graph_def, [output]), tensors, image_shape


def _original_signature(graph: Any) -> Signatures:
    """Return a signature for the tensors of an original model, if the graph contains them."""
    names = {f"{operation.name}:0" for operation in graph.get_operations()}
    for tensors in ORIGINAL_TENSORS:
        if {tensors.image, tensors.scores} <= names:
            image, scores = map(graph.get_tensor_by_name, (tensors.image, tensors.scores))
            return {
                "no signature": {
                    "inputs": {tensors.image: _info(image.name, image.dtype, image.shape)},
                    "outputs": {tensors.scores: _info(scores.name, scores.dtype, scores.shape)},
                    "method": "",
                }
            }
    return {}


def _switches(graph_def: Any, tensors: TensorNames) -> list[tuple[str, bool | float]]:
    """Return the name of each input except the image, with the value that disables training.

    A bool is the learning phase of Keras, a float the probability that dropout keeps a unit.
    """
    import tensorflow as tf

    off = {tf.bool: False, tf.float32: 1.0}
    found = []
    for node in graph_def.node:
        is_input = node.op in ("Placeholder", "PlaceholderWithDefault")
        if is_input and f"{node.name}:0" != tensors.image:
            dtype = tf.dtypes.as_dtype(node.attr["dtype"].type)
            shape = node.attr["shape"].shape
            if dtype not in off or shape.dim:
                raise ModelError(
                    f"unsupported input {node.name} ({dtype.name}): expected only the image and "
                    "scalars that switch training or dropout"
                )
            found.append((node.name, off[dtype]))
    return found


def _replace_random_numbers(graph_def: Any) -> None:
    """Replace random numbers by a constant, so that the compiler can remove dropout.

    Dropout that keeps all units compares a random number with 0, or adds 1 to it and rounds down:
    any constant in [0, 1) gives the same result.
    """
    import tensorflow as tf

    for node in graph_def.node:
        if node.op == "RandomUniform":
            dtype = node.attr["dtype"].type
            node.op = "Const"
            del node.input[:]
            node.attr.clear()
            node.attr["dtype"].type = dtype
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(0.5, dtype))


def _drop_input_shapes(graph_def: Any) -> None:
    """Remove the input shapes recorded in functions, which freezing does not update."""
    for function in graph_def.library.function:
        function.attr.pop("_input_shapes", None)


def _test_images() -> Batch:
    """Return an empty, a full and a noisy image, float32 [3, 784]."""
    noise = np.random.default_rng(0).random(784, np.float32)
    return np.stack([np.zeros(784, np.float32), np.ones(784, np.float32), noise])


def _is_softmax(outputs: Scores) -> bool:
    """Whether the outputs for the test images are probabilities; otherwise they are logits.

    Raises:
        ModelError: they are neither.
    """
    if outputs.shape != (len(_test_images()), 10) or not np.isfinite(outputs).all():
        raise ModelError(
            f"unsupported output: expected 10 finite scores per image, got {outputs.tolist()}"
        )
    if (outputs >= 0).all() and np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
        return True
    if ((outputs >= 0) & (outputs <= 1)).all():
        raise ModelError(
            "unsupported output: expected probabilities or logits, but the scores are between 0 "
            "and 1 and do not sum to 1"
        )
    return False


def _first_line(error: BaseException) -> str:
    """Return the first line with content; TensorFlow starts messages with headings."""
    lines = [line.strip() for line in str(error).splitlines()]
    content = (line for line in lines if line and not line.startswith("<") and line[-1] != ":")
    return next(content, type(error).__name__)
