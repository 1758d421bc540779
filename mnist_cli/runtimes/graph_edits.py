"""Edits the graph of a model so that it can be frozen, and compiled for LiteRT."""

from typing import Any

import numpy as np

from mnist_cli.errors import ModelError
from mnist_cli.signature import ImageLayout

IMAGE = "mnist_image"
"""The name of the placeholder that replaces a model's own image input."""
UPDATES = ("AssignVariableOp", "AssignAddVariableOp", "AssignSubVariableOp")
# In [0, 1), just above the mean: layers flip an image at 0.5.
RANDOM_NUMBER = 0.5 + 2**-20


def cut_above(graph_def: Any, image: Any, layout: ImageLayout) -> None:
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
    shape = tf.TensorShape([None, *layout.shape])  # also of a model that was exported for one image
    placeholder.attr["shape"].shape.CopyFrom(shape.as_proto())


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


def _nodes(graph_def: Any) -> list[Any]:
    """Return the lists of nodes of a graph and of its functions."""
    return [graph_def.node, *(function.node_def for function in graph_def.library.function)]


def replace_random_numbers(graph_def: Any) -> None:
    """Replace random numbers by their mean, so that the compiler can remove dropout.

    Dropout that keeps all units compares a random number with 0, or adds 1 to it and rounds down:
    any constant in [0, 1) gives the same result. Exports of Keras 3 rotate, zoom and shift images
    at random if the model has such layers; with the mean, they leave them as they are.
    """
    import tensorflow as tf

    for nodes in _nodes(graph_def):
        for node in list(nodes):
            if node.op == "RandomUniform":
                _make_constant(node, node.attr["dtype"].type)
            elif node.op == "StatelessRandomUniformV2":
                mean = nodes.add(name=f"{node.name}/mean")
                # Attributes with their default value may be missing.
                dtype = node.attr["dtype"].type or tf.float32.as_datatype_enum
                shape_dtype = node.attr["Tshape"].type or tf.int32.as_datatype_enum
                _make_constant(mean, dtype)
                is_in_function = nodes is not graph_def.node
                node.op = "Fill"
                node.input[1:] = [f"{mean.name}:output:0" if is_in_function else mean.name]
                node.attr.clear()
                node.attr["T"].type, node.attr["index_type"].type = dtype, shape_dtype


def _make_constant(node: Any, dtype: int) -> None:
    import tensorflow as tf

    value = tf.make_tensor_proto(RANDOM_NUMBER, tf.dtypes.as_dtype(dtype))
    node.op = "Const"
    del node.input[:]
    node.attr.clear()
    node.attr["dtype"].type = dtype
    node.attr["value"].tensor.CopyFrom(value)


def drop_updates(graph_def: Any) -> None:
    """Remove assignments to variables, such as the state of a random number generator."""
    for nodes in _nodes(graph_def):
        updates = {node.name for node in nodes if node.op in UPDATES}
        kept = [node for node in nodes if node.name not in updates]
        for node in kept:
            inputs = [name for name in node.input if name.removeprefix("^") not in updates]
            del node.input[:]
            node.input.extend(inputs)
        del nodes[:]
        nodes.extend(kept)
    for function in graph_def.library.function:
        names = {node.name for node in function.node_def}
        for key in [key for key, name in function.control_ret.items() if name not in names]:
            del function.control_ret[key]


def drop_input_shapes(graph_def: Any) -> None:
    """Remove the input shapes recorded in functions, which freezing does not update."""
    for function in graph_def.library.function:
        function.attr.pop("_input_shapes", None)
