"""Networks of the family `t_*`."""

from collections.abc import Callable

import tensorflow as tf

from training.graph.layers import batch_norm, conv, dense, flatten, max_pool

Network = Callable[[tf.Tensor, tf.Tensor, bool], tf.Tensor]
"""Images, float32 [N, 784], keep probability of dropout, training -> logits, float32 [N, 10]."""


def t_ffnn(image: tf.Tensor, keep_prob: tf.Tensor, training: bool) -> tf.Tensor:
    """Dense layers only: 784-1024-512-256-10."""
    x = image
    for index, units in enumerate((1024, 512, 256), start=1):
        x = dense(x, units, f"dense{index}")
        x = tf.nn.relu(batch_norm(x, f"norm{index}", training=training))
    return dense(_dropout(x, keep_prob), 10, "logits", bias=True)


def t_cnn(image: tf.Tensor, keep_prob: tf.Tensor, training: bool) -> tf.Tensor:
    """Five convolutions, two of them with pooling, and a dense layer."""

    def norm_relu(x: tf.Tensor, name: str) -> tf.Tensor:
        return tf.nn.relu(batch_norm(x, name, training=training))

    x = tf.reshape(image, [-1, 28, 28, 1])
    x = norm_relu(max_pool(conv(x, 32, 5, "conv1")), "norm1")  # 12 x 12
    x = norm_relu(conv(x, 64, 3, "conv2", padding="SAME"), "norm2")
    x = norm_relu(max_pool(conv(x, 80, 3, "conv3")), "norm3")  # 5 x 5
    x = norm_relu(conv(x, 192, 3, "conv4", padding="SAME"), "norm4")
    x = norm_relu(conv(x, 192, 3, "conv5"), "norm5")  # 3 x 3
    return dense(_dropout(flatten(x), keep_prob), 10, "logits", bias=True)


def _dropout(x: tf.Tensor, keep_prob: tf.Tensor) -> tf.Tensor:
    return tf.nn.dropout(x, rate=1 - keep_prob)


NETWORKS: dict[str, Network] = {
    "t_ffnn": t_ffnn,
    "t_cnn": t_cnn,
}
