"""Networks of the family `e_*`, made of `tf.layers`."""

from collections.abc import Callable

import tensorflow as tf
import tensorflow.compat.v1 as v1

Network = Callable[[tf.Tensor, float, bool], tf.Tensor]
"""Images, float32 [N, 784], keep probability of dropout, training -> logits, float32 [N, 10]."""


def e_ffnn(image: tf.Tensor, keep_prob: float, training: bool) -> tf.Tensor:
    """Dense layers only: 784-1024-512-256-10."""
    x = image
    for units in (1024, 512, 256):
        x = v1.layers.dense(x, units, use_bias=False, kernel_initializer=_he())
        x = _norm_relu(x, training)
    x = v1.layers.dropout(x, 1 - keep_prob, training=training)
    return v1.layers.dense(x, 10, name="logits")


def e_cnn(image: tf.Tensor, keep_prob: float, training: bool) -> tf.Tensor:
    """Five convolutions, two of them with pooling, and a dense layer."""

    def conv(x: tf.Tensor, filters: int, size: int = 3, padding: str = "valid") -> tf.Tensor:
        return v1.layers.conv2d(
            x, filters, size, padding=padding, use_bias=False, kernel_initializer=_he()
        )

    x = tf.reshape(image, [-1, 28, 28, 1])
    x = _norm_relu(_pool(conv(x, 32, size=5)), training)  # 12 x 12
    x = _norm_relu(conv(x, 64, padding="same"), training)
    x = _norm_relu(_pool(conv(x, 80)), training)  # 5 x 5
    x = _norm_relu(conv(x, 192, padding="same"), training)
    x = _norm_relu(conv(x, 192), training)  # 3 x 3
    x = v1.layers.dropout(v1.layers.flatten(x), 1 - keep_prob, training=training)
    return v1.layers.dense(x, 10, name="logits")


def _he() -> v1.initializers.variance_scaling:
    return v1.initializers.variance_scaling(scale=2.0, mode="fan_in")


def _pool(x: tf.Tensor) -> tf.Tensor:
    return v1.layers.max_pooling2d(x, 2, 2)


def _norm_relu(x: tf.Tensor, training: bool) -> tf.Tensor:
    """Batch norm, by the batch (training) or the moving averages (inference), and ReLU."""
    return tf.nn.relu(v1.layers.batch_normalization(x, training=training))


NETWORKS: dict[str, Network] = {"e_ffnn": e_ffnn, "e_cnn": e_cnn}
