"""Imports TensorFlow, and reads the signatures of a SavedModel."""

import logging
import os
from pathlib import Path
from typing import Any

from mnist_cli.errors import ModelError, install_hint, reason
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes.parsed_examples import with_parsed_image
from mnist_cli.signature import Signatures, TensorInfo, takes_images


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
                f"TensorFlow is required but cannot be imported ({error})",
                install_hint("tensorflow"),
            ) from error
    tf.get_logger().setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)
    return tf


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
        raise ModelError(f"saved_model.pb is damaged: {reason(error)}") from error
    if not graphs:
        raise ModelError("saved_model.pb contains no graph")
    return next((graph for graph in graphs if "serve" in graph.meta_info_def.tags), graphs[0])


def signatures(meta: Any) -> Signatures:
    """Return the signatures of a MetaGraphDef, without TensorFlow's own init op.

    If none takes images, those that parse an image from tf.Examples take the image.
    """
    found: Signatures = {
        name: {
            "inputs": {key: _signature_tensor(info) for key, info in signature.inputs.items()},
            "outputs": {key: _signature_tensor(info) for key, info in signature.outputs.items()},
            "method": signature.method_name,
        }
        for name, signature in meta.signature_def.items()
        if name != "__saved_model_init_op"
    }
    if takes_images(found):
        return found
    return {name: with_parsed_image(signature, meta.graph_def) for name, signature in found.items()}


def _signature_tensor(info: Any) -> TensorInfo:
    import tensorflow as tf

    return tensor_info(info.name, tf.dtypes.as_dtype(info.dtype), tf.TensorShape(info.tensor_shape))


def tensor_info(name: str, dtype: Any, shape: Any) -> TensorInfo:
    sizes = None if shape.rank is None else shape.as_list()
    return {"name": name, "dtype": dtype.name, "shape": sizes}
