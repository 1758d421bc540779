"""Freezes a SavedModel: cuts out the graph from the image to the scores, without variables."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mnist_cli.class_labels import ASSETS, constant_labels, read_label_file
from mnist_cli.errors import ModelError, reason
from mnist_cli.runtimes import Scores
from mnist_cli.runtimes.graph_edits import (
    cut_above,
    drop_input_shapes,
    drop_updates,
    replace_random_numbers,
    switches,
)
from mnist_cli.runtimes.meta_graph import read_meta_graph, signatures, tensor_info
from mnist_cli.signature import (
    ORIGINAL_TENSORS,
    ImageLayout,
    Signatures,
    image_layout,
    select_tensors,
)


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
            _load(session, meta, folder)
            _initialize_copied_variables(graph, session)
            found = signatures(meta) or _original_signature(graph)
            tensors = select_tensors(found)
            output = tensors.scores.rpartition(":")[0]
            image = graph.get_tensor_by_name(tensors.image)
            layout = _layout(found, tensors.image)
            graph_def = graph.as_graph_def()
            cut_above(graph_def, image, layout)
            drop_updates(graph_def)
            graph_def = tf.compat.v1.graph_util.convert_variables_to_constants(
                session, graph_def, [output]
            )
            labels = read_label_file(folder / ASSETS)
            if tensors.labels:
                feed = {image: _random_images(layout).astype(image.dtype.as_numpy_dtype)}
                feed |= {f"{name}:0": value for name, value in switches(graph_def)}
                labels = constant_labels(session.run(tensors.labels, feed))
            replace_random_numbers(graph_def)
            drop_input_shapes(graph_def)
            graph_def = tf.compat.v1.graph_util.extract_sub_graph(graph_def, [output])
        except ModelError:
            raise
        except Exception as error:  # TensorFlow raises errors of any type for damaged files
            raise ModelError(f"damaged or incomplete model: {reason(error)}") from error
    return Frozen(graph_def, image.dtype, layout, tensors.scores, labels)


def _load(session: Any, meta: Any, folder: Path) -> None:
    """Load a MetaGraphDef and its variables into a session of TensorFlow 1."""
    from tensorflow.python.saved_model.loader_impl import SavedModelLoader

    # Recorded shapes of gradients contradict newer versions of TensorFlow, which infers them.
    for node in meta.graph_def.node:
        node.attr.pop("_output_shapes", None)

    class Loader(SavedModelLoader):  # type: ignore[misc]
        def get_meta_graph_def_from_tags(self, _: Any) -> Any:
            return meta

    Loader(str(folder)).load(session, meta.meta_info_def.tags)


def _layout(signatures: Signatures, image: str) -> ImageLayout:
    """Return the layout of the selected image."""
    inputs = (info for signature in signatures.values() for info in signature["inputs"].values())
    layouts = (image_layout(info["shape"]) for info in inputs if info["name"] == image)
    return next(filter(None, layouts))


def _initialize_copied_variables(graph: Any, session: Any) -> None:
    """Copy the values of variables that are only restored under another name.

    `tf.saved_model.save` of a model of Keras 3 saves copies of its variables, of which the
    variables are the initial values. `tf.saved_model.load` replaces the variables by the copies.
    """
    import tensorflow as tf

    ops = tf.raw_ops
    copies, states = [], []
    for operation in graph.get_operations():
        if operation.type == "AssignVariableOp" and operation.inputs[1].op.type == "ReadVariableOp":
            copy, initial = operation.inputs
            original = initial.op.inputs[0]
            copies.append((original, copy, initial.dtype))
            states.append([ops.VarIsInitializedOp(resource=x) for x in (original, copy)])
    session.run(
        [
            ops.AssignVariableOp(
                resource=original, value=ops.ReadVariableOp(resource=copy, dtype=dtype)
            )
            for (original, copy, dtype), state in zip(copies, session.run(states), strict=True)
            if state == [False, True]
        ]
    )


def _random_images(layout: ImageLayout) -> Scores:
    """Return eight images of noise with different densities, with levels up to 255."""
    random = np.random.default_rng(0)
    density = np.linspace(0, 1, 8, dtype=np.float32).reshape(-1, *[1] * len(layout.shape))
    images = random.uniform(0, 255, (8, *layout.shape)).astype(np.float32)
    return images * (random.random(images.shape) < density)


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
