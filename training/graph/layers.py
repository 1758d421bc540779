"""Layers of float32 images [N, height, width, channels] or vectors [N, units]."""

import tensorflow as tf
import tensorflow.compat.v1 as v1

BATCH_NORM_MOMENTUM, BATCH_NORM_EPSILON = 0.99, 1e-3
"""The defaults of Keras."""


def dense(x: tf.Tensor, units: int, name: str, *, bias: bool = False) -> tf.Tensor:
    """Multiply [N, inputs] by a kernel. Leave out the bias where batch norm follows."""
    with v1.variable_scope(name):
        y = tf.matmul(x, _kernel([int(x.shape[-1]), units]))
        return y + _variable("bias", [units], 0.0) if bias else y


def conv(x: tf.Tensor, filters: int, size: int, name: str, *, padding: str = "VALID") -> tf.Tensor:
    """Convolve with square kernels, without bias: batch norm follows."""
    with v1.variable_scope(name):
        kernel = _kernel([size, size, int(x.shape[-1]), filters])
        return tf.nn.conv2d(x, kernel, strides=1, padding=padding)


def max_pool(x: tf.Tensor) -> tf.Tensor:
    """Halve height and width."""
    return tf.nn.max_pool2d(x, ksize=2, strides=2, padding="VALID")


def flatten(x: tf.Tensor) -> tf.Tensor:
    """Reshape [N, height, width, channels] to [N, units]."""
    return tf.reshape(x, [-1, int(tf.TensorShape(x.shape[1:]).num_elements())])


def batch_norm(x: tf.Tensor, name: str, *, training: bool) -> tf.Tensor:
    """Normalise each channel by the batch (training) or by the moving averages (inference).

    The choice is made when the graph is built. The exported graph needs no switch, and the compiler
    can fold the layer into the kernel before it.
    """
    channels = int(x.shape[-1])
    with v1.variable_scope(name):
        gamma = _variable("gamma", [channels], 1.0)
        beta = _variable("beta", [channels], 0.0)
        moving_mean = _variable("moving_mean", [channels], 0.0, trainable=False)
        moving_variance = _variable("moving_variance", [channels], 1.0, trainable=False)
        if not training:
            return tf.nn.batch_normalization(
                x, moving_mean, moving_variance, beta, gamma, BATCH_NORM_EPSILON
            )
        images = x if x.shape.rank == 4 else x[:, None, None, :]
        y, mean, variance = v1.nn.fused_batch_norm(
            images, gamma, beta, epsilon=BATCH_NORM_EPSILON, is_training=True
        )
        for moving, value in ((moving_mean, mean), (moving_variance, variance)):
            update = moving.assign_sub((moving - value) * (1 - BATCH_NORM_MOMENTUM))
            v1.add_to_collection(v1.GraphKeys.UPDATE_OPS, update)
        return y if x.shape.rank == 4 else y[:, 0, 0, :]


def _kernel(shape: list[int]) -> tf.Variable:
    # He et al. 2015: this variance keeps the scale of the signal through ReLU layers.
    he = v1.variance_scaling_initializer(scale=2.0, mode="fan_in")
    return v1.get_variable("kernel", shape, initializer=he, use_resource=True)


def _variable(name: str, shape: list[int], value: float, *, trainable: bool = True) -> tf.Variable:
    return v1.get_variable(
        name,
        shape,
        initializer=v1.constant_initializer(value),
        trainable=trainable,
        use_resource=True,
    )
