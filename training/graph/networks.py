"""The networks of the family `t_*`: from the image to ten logits.

Each takes the image, float32 [N, 784], the keep probability of dropout, a float32 scalar, and
whether the graph is built for training; it returns logits, float32 [N, 10].
"""

from collections.abc import Callable

import tensorflow as tf

from training.graph.layers import batch_norm, conv, dense, flatten, max_pool

Network = Callable[[tf.Tensor, tf.Tensor, bool], tf.Tensor]


def t_ffnn(image: tf.Tensor, keep: tf.Tensor, training: bool) -> tf.Tensor:
    """Dense layers only: 784-800-400-200-10."""
    x = image
    for index, units in enumerate((800, 400, 200), start=1):
        x = dense(x, units, f"dense{index}")
        x = tf.nn.relu(batch_norm(x, f"norm{index}", training=training))
    return dense(_dropout(x, keep), 10, "logits", bias=True)


def t_cnn(image: tf.Tensor, keep: tf.Tensor, training: bool) -> tf.Tensor:
    """Three convolutions, two of them with pooling, then dense."""
    x = tf.reshape(image, [-1, 28, 28, 1])
    x = max_pool(conv(x, 32, 5, "conv1"))  # 12 x 12
    x = tf.nn.relu(batch_norm(x, "norm1", training=training))
    x = conv(x, 64, 3, "conv2", padding="SAME")
    x = tf.nn.relu(batch_norm(x, "norm2", training=training))
    x = max_pool(conv(x, 64, 3, "conv3"))  # 5 x 5
    x = tf.nn.relu(batch_norm(x, "norm3", training=training))
    x = dense(flatten(x), 256, "dense")
    x = tf.nn.relu(batch_norm(x, "norm4", training=training))
    return dense(_dropout(x, keep), 10, "logits", bias=True)


def _dropout(x: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
    return tf.nn.dropout(x, rate=1 - keep)


NETWORKS: dict[str, Network] = {"t_ffnn": t_ffnn, "t_cnn": t_cnn}
