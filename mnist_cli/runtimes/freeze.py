"""Freezes a SavedModel: cuts out the graph from the image to the scores, without variables."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_cli.class_labels import constant_labels, read_label_file
from mnist_cli.errors import ModelError
from mnist_cli.runtimes import Scores
from mnist_cli.runtimes.meta_graph import first_line, read_meta_graph, signatures, tensor_info
from mnist_cli.signature import (
    ORIGINAL_TENSORS,
    ImageLayout,
    Signatures,
    image_layout,
    select_tensors,
)

IMAGE = "mnist_image"
"""The name of the placeholder that replaces a model's own image input."""


class Frozen(NamedTuple):
    """The part of a model between its image input and its scores, without variables."""

    graph_def: Any
    dtype: Any
    """The type of the placeholder `IMAGE`."""
    layout: ImageLayout
    scores: str
    """The name of the output tensor."""
    labels: tuple[str, ...] | None


def freeze(folder: Path) -> Frozen:
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
            image = graph.get_tensor_by_name(tensors.image)
            layout = image_layout(image.shape.as_list())
            assert layout is not None  # the signature has the same shape
            graph_def = graph.as_graph_def()
            _cut_above(graph_def, image)
            graph_def = tf.compat.v1.graph_util.convert_variables_to_constants(
                session, graph_def, [output]
            )
            labels = read_label_file(folder / "assets")
            if tensors.labels:
                feed = {image: _random_images(layout).astype(image.dtype.as_numpy_dtype)}
                feed |= {f"{name}:0": value for name, value in switches(graph_def)}
                labels = constant_labels(session.run(tensors.labels, feed))
        except (tf.errors.OpError, OSError, ValueError, RuntimeError, KeyError) as error:
            raise ModelError(f"damaged or incomplete model: {first_line(error)}") from error
    _replace_random_numbers(graph_def)
    _drop_input_shapes(graph_def)
    graph_def = tf.compat.v1.graph_util.extract_sub_graph(graph_def, [output])
    return Frozen(graph_def, image.dtype, layout, tensors.scores, labels)


def _random_images(layout: ImageLayout) -> Scores:
    """Return eight images of noise with different densities, with levels up to 255."""
    random = np.random.default_rng(0)
    density = np.linspace(0, 1, 8, dtype=np.float32).reshape(-1, *[1] * len(layout.shape))
    images = random.uniform(0, 255, (8, *layout.shape)).astype(np.float32)
    return images * (random.random(images.shape) < density)


def _cut_above(graph_def: Any, image: Any) -> None:
    """Replace the image tensor by the placeholder `IMAGE`, so that nothing above it is an input.

    In the exports of the tutorial of TensorFlow Serving, the image is parsed from a tf.Example.
    """
    import tensorflow as tf

    names = {image.name, image.name.removesuffix(":0")}
    for node in graph_def.node:
        inputs = [
            IMAGE if name in names else name for name in node.input if name != f"^{image.op.name}"
        ]
        del node.input[:]
        node.input.extend(inputs)
    placeholder = graph_def.node.add(name=IMAGE, op="Placeholder")
    placeholder.attr["dtype"].type = image.dtype.as_datatype_enum
    batch = [None, *image.shape.as_list()[1:]]  # also of a model that was exported for one image
    placeholder.attr["shape"].shape.CopyFrom(tf.TensorShape(batch).as_proto())


def _original_signature(graph: Any) -> Signatures:
    """Return a signature for the tensors of an original model, if the graph contains them."""
    names = {f"{operation.name}:0" for operation in graph.get_operations()}
    for tensors in ORIGINAL_TENSORS:
        if {tensors.image, tensors.scores} <= names:
            image, scores = map(graph.get_tensor_by_name, (tensors.image, tensors.scores))
            return {
                "no signature": {
                    "inputs": {tensors.image: tensor_info(image.name, image.dtype, image.shape)},
                    "outputs": {
                        tensors.scores: tensor_info(scores.name, scores.dtype, scores.shape)
                    },
                    "method": "",
                }
            }
    return {}


def switches(graph_def: Any) -> list[tuple[str, Any]]:
    """Return the name of each input except the image, with the value that disables training.

    A bool is the learning phase of Keras, a float the probability that dropout keeps a unit. Other
    inputs keep their default.
    """
    import tensorflow as tf

    off = {tf.bool: False, tf.float16: 1.0, tf.float32: 1.0, tf.float64: 1.0}
    found = []
    for node in graph_def.node:
        if node.op in ("Placeholder", "PlaceholderWithDefault") and node.name != IMAGE:
            dtype = tf.dtypes.as_dtype(node.attr["dtype"].type)
            if dtype in off and not node.attr["shape"].shape.dim:
                found.append((node.name, np.array(off[dtype], dtype.as_numpy_dtype)))
            elif node.op == "Placeholder":
                raise ModelError(
                    f"unsupported input {node.name} ({dtype.name}): expected only the image and "
                    "scalars that switch training or dropout"
                )
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
