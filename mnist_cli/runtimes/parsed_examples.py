"""Finds images that a SavedModel parses from tf.Examples, as in exports of tf.estimator."""

from typing import Any

from mnist_cli.signature import Signature, TensorInfo, image_layout

# The outputs of a sparse feature; they come before those of dense features.
SPARSE_OUTPUTS = 3


def with_parsed_image(signature: Signature, graph_def: Any) -> Signature:
    """Replace the serialized tf.Examples that a signature takes by the image parsed from them.

    Other signatures stay as they are, also those with several images.
    """
    if len(signature["inputs"]) != 1:
        return signature
    [(key, info)] = signature["inputs"].items()
    images = _parsed_images(info["name"].removesuffix(":0"), graph_def)
    return {**signature, "inputs": {key: images[0]}} if len(images) == 1 else signature


def _parsed_images(examples: str, graph_def: Any) -> list[TensorInfo]:
    """Return the images that are parsed from a tensor of tf.Examples."""
    import tensorflow as tf

    images: list[TensorInfo] = []
    for node in graph_def.node:
        if node.op not in ("ParseExample", "ParseExampleV2") or node.input[0] != examples:
            continue
        sparse = node.attr["Nsparse"].i or node.attr["num_sparse"].i
        dtypes = map(tf.dtypes.as_dtype, node.attr["Tdense"].list.type)
        shapes = map(tf.TensorShape, node.attr["dense_shapes"].list.shape)
        for index, (dtype, shape) in enumerate(zip(dtypes, shapes, strict=True)):
            sizes = [None, *shape.as_list()]
            if dtype.is_floating and image_layout(sizes):
                name = f"{node.name}:{SPARSE_OUTPUTS * sparse + index}"
                images.append({"name": name, "dtype": dtype.name, "shape": sizes})
    return images
