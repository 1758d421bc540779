"""Makes SavedModels with other inputs and outputs than those of the shipped models."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.models import Weights

IMAGE = (28, 28, 1)


def variant(
    folder: Path,
    weights: Weights,
    *,
    batch_size: int | None = None,
    shape: tuple[int, ...] = IMAGE,
    dtype: str = "float32",
    to_pixels: Callable[[Any], Any] = lambda image: image,
    to_outputs: Callable[[Any], dict[str, Any]],
    assets: dict[str, str] | None = None,
) -> Path:
    """Save a `tf.Module` for images of a shape and type.

    Args:
        folder: where the SavedModel is written.
        weights: of the classifier.
        batch_size: of the input; None for any.
        shape: of one image.
        dtype: of the input.
        to_pixels: converts the input, as floats, to values with foreground 1 and background 0 that
            can be reshaped to [N, 784].
        to_outputs: makes the outputs from the logits.
        assets: the content of files to save with the model, by name.
    """
    import tensorflow as tf

    class Network(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.kernel, self.bias = tf.Variable(weights.kernel), tf.Variable(weights.bias)

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[tf.TensorSpec([batch_size, *shape], dtype, "image")]
        )
        def classify(self, image: Any) -> Any:
            pixels = to_pixels(tf.cast(image, tf.float32))
            return to_outputs(tf.reshape(pixels, [-1, 784]) @ self.kernel + self.bias)

    network = Network()
    tf.saved_model.save(network, str(folder), {"read_images": network.classify})
    for name, content in (assets or {}).items():
        (folder / "assets" / name).write_text(content)
    return folder


def probabilities(logits: Any) -> dict[str, Any]:
    import tensorflow as tf

    return {"scores": tf.nn.softmax(logits)}


def in_order(order: Sequence[int]) -> Callable[[Any], dict[str, Any]]:
    """Outputs for the digits in another order, with 10 for a class for blank images."""

    def outputs(logits: Any) -> dict[str, Any]:
        import tensorflow as tf

        blank = tf.fill([tf.shape(logits)[0], 1], -5.0)
        columns = tf.gather(tf.concat([logits, blank], 1), np.array(order), axis=1)
        return {"scores": tf.nn.softmax(columns)}

    return outputs


def with_labels(order: Sequence[int]) -> Callable[[Any], dict[str, Any]]:
    """Outputs for the digits in another order, with their labels in the signature."""

    def outputs(logits: Any) -> dict[str, Any]:
        import tensorflow as tf

        labels = tf.constant([[str(digit) for digit in order]])
        classes = tf.repeat(labels, tf.shape(logits)[0], axis=0)
        return in_order(order)(logits) | {"classes": classes}

    return outputs


def tutorial(folder: Path, weights: Weights) -> Path:
    """An export as in the tutorial of TensorFlow Serving, whose image comes from a tf.Example."""
    import tensorflow as tf

    v1 = tf.compat.v1
    info = v1.saved_model.build_tensor_info
    build = v1.saved_model.build_signature_def
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        text = v1.placeholder(tf.string, [None], "tf_example")
        parsed = v1.parse_example(text, {"x": v1.FixedLenFeature([784], tf.float32)})
        image = tf.identity(parsed["x"], "x")
        kernel, bias = (
            v1.get_variable(name, initializer=value) for name, value in weights._asdict().items()
        )
        scores = tf.nn.softmax(image @ kernel + bias, name="y")
        values, indices = tf.nn.top_k(scores, 10)
        names = tf.lookup.KeyValueTensorInitializer(
            tf.range(10, dtype=tf.int64), tf.constant([str(digit) for digit in range(10)])
        )
        table = tf.lookup.StaticHashTable(names, "?")
        classes = table.lookup(tf.cast(indices, tf.int64))
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            {
                "serving_default": build(
                    {"inputs": info(text)},
                    {"classes": info(classes), "scores": info(values)},
                    "tensorflow/serving/classify",
                ),
                "predict_images": build(
                    {"images": info(image)},
                    {"scores": info(scores)},
                    "tensorflow/serving/predict",
                ),
            },
            main_op=v1.tables_initializer(),
        )
        builder.save()
    return folder


def estimator_of_examples(folder: Path, weights: Weights) -> Path:
    """An export as of tf.estimator, which takes only tf.Examples, with another feature."""
    import tensorflow as tf

    v1 = tf.compat.v1
    with tf.Graph().as_default(), v1.Session() as session:
        text = v1.placeholder(tf.string, [None], "input_example_tensor")
        features = {
            "id": v1.VarLenFeature(tf.int64),
            "width": v1.FixedLenFeature([1], tf.float32),
            "x": v1.FixedLenFeature([28, 28], tf.float32),
        }
        image = v1.parse_example(text, features)["x"]
        kernel, bias = (
            v1.get_variable(name, initializer=value) for name, value in weights._asdict().items()
        )
        scores = tf.nn.softmax(tf.reshape(image, [-1, 784]) @ kernel + bias)
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(
            session, str(folder), {"examples": text}, {"probabilities": scores}
        )
    return folder
