"""A SavedModel as one graph: what TensorFlow runs, and what the compiler compiles."""

import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnist_cli.errors import ModelError
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes import Batch
from mnist_cli.signature import Signatures, TensorInfo, TensorNames, select_tensors

# The models of 2017 were saved without a signature; these are their tensors for image and scores.
ORIGINAL_TENSORS = (
    TensorNames("input:0", "output:0"),
    TensorNames("input_input:0", "output/Softmax:0"),
)


def import_tensorflow() -> Any:
    """TensorFlow, brought to silence.

    Raises:
        ModelError: it is not installed, or cannot be imported here.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with native_output_hidden():
        try:
            import tensorflow as tf
        except ImportError as error:
            raise ModelError(
                f"needs TensorFlow, which cannot be imported ({error}): pip install tensorflow"
            ) from error
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tf


@dataclass(frozen=True)
class FrozenGraph:
    """A SavedModel as a graph of TensorFlow, [N, 784] float32 -> [N, 10] float32, in a session.

    The variables are frozen into it, the image takes the shape that the model wants, dropout is
    off, and logits get a softmax: what TensorFlow runs, and what the compiler compiles.
    """

    session: Any
    batch: Any
    probabilities: Any

    def predict_proba(self, batch: Batch) -> Batch:
        """Safe to call from many threads."""
        probabilities: Batch = self.session.run(self.probabilities, {self.batch: batch})
        return probabilities


def load_frozen_graph(folder: Path) -> FrozenGraph:
    """Load a SavedModel.

    Raises:
        ModelError: the model is damaged or does not fit.
    """
    tf = import_tensorflow()
    graph_def, tensors, image_shape = _freeze(folder)
    graph = tf.Graph()
    # All in one graph of its own: functions that run eagerly could not be compiled afterwards.
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
            answers = session.run(scores, {batch: _test_images()})
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise ModelError(f"does not run: {_first_line(error)}") from error
        if answers.shape != (len(_test_images()), 10) or not np.isfinite(answers).all():
            raise ModelError(f"does not fit: it answers {answers.tolist()} to three pictures")
        if _are_probabilities(answers):
            return FrozenGraph(session, batch, scores)
        if ((answers >= 0) & (answers <= 1)).all():
            raise ModelError("does not fit: its scores in [0, 1] do not sum to 1")
        return FrozenGraph(session, batch, tf.nn.softmax(scores))


def read_meta_graph(folder: Path) -> Any:
    """The MetaGraphDef that serves: the one tagged `serve`, or else the first.

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
        raise ModelError("saved_model.pb holds no graph")
    return next((graph for graph in graphs if "serve" in graph.meta_info_def.tags), graphs[0])


def signatures(meta: Any) -> Signatures:
    """The signatures of a MetaGraphDef in plain Python; TensorFlow's own init op is left out."""
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
    """The graph with its variables as constants, its endpoints, and the image's shape without N."""
    import tensorflow as tf

    meta = read_meta_graph(folder)
    graph = tf.Graph()
    # A session of TensorFlow 1 loads the models of both generations, and freezes the reference
    # variables of the first, which `tf.saved_model.load` cannot.
    with graph.as_default(), tf.compat.v1.Session(graph=graph) as session:
        try:
            tf.compat.v1.saved_model.load(session, list(meta.meta_info_def.tags), str(folder))
            tensors = _select_tensors(graph, meta)
            output = tensors.scores.rpartition(":")[0]
            graph_def = tf.compat.v1.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), [output]
            )
        except (tf.errors.OpError, OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"is damaged or incomplete: {_first_line(error)}") from error
        image_shape = graph.get_tensor_by_name(tensors.image).shape.as_list()[1:]
    _replace_random_numbers(graph_def)
    _drop_input_shapes(graph_def)
    return tf.compat.v1.graph_util.extract_sub_graph(graph_def, [output]), tensors, image_shape


def _select_tensors(graph: Any, meta: Any) -> TensorNames:
    return select_tensors(signatures(meta) or _original_signature(graph))


def _original_signature(graph: Any) -> Signatures:
    """The tensors of the models of 2017, if the graph has them, as if it had a signature."""
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
    """The inputs besides the image, each with the value that turns it off.

    A bool is the learning phase of Keras; a float is the probability to keep a unit in dropout.
    """
    import tensorflow as tf

    off = {tf.bool: False, tf.float32: 1.0}
    found = []
    for node in graph_def.node:
        if (
            node.op in ("Placeholder", "PlaceholderWithDefault")
            and f"{node.name}:0" != tensors.image
        ):
            dtype = tf.dtypes.as_dtype(node.attr["dtype"].type)
            shape = node.attr["shape"].shape
            if dtype not in off or shape.dim:
                raise ModelError(f"does not fit: further input {node.name} ({dtype.name})")
            found.append((node.name, off[dtype]))
    return found


def _replace_random_numbers(graph_def: Any) -> None:
    """Replace every random number by a constant, so that dropout folds away when compiled.

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
    """Drop the recorded input shapes of functions: freezing changes their inputs, not this list."""
    for function in graph_def.library.function:
        function.attr.pop("_input_shapes", None)


def _test_images() -> Batch:
    """A blank picture, a full one and one of noise [3, 784], to learn what a model answers."""
    noise = np.random.default_rng(0).random(784, np.float32)
    return np.stack([np.zeros(784, np.float32), np.ones(784, np.float32), noise])


def _are_probabilities(scores: Batch) -> bool:
    return bool((scores >= 0).all() and np.allclose(scores.sum(axis=1), 1, atol=1e-3))


def _first_line(error: BaseException) -> str:
    """The first line that says something; TensorFlow likes to begin with headings."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = (line for line in lines if line and not line.startswith("<") and line[-1] != ":")
    return next(said, type(error).__name__)
