"""The detector: a fully convolutional network with a feature pyramid and two outputs."""

import keras
import tensorflow as tf
from keras import layers

from training.detector.fit_recipe import NETWORK, NetworkRecipe


def build(recipe: NetworkRecipe = NETWORK) -> keras.Model:
    """Return the network.

    Input: float32 [N, H, W, 3], normalized (`targets.normalize`); H and W are multiples of 32.

    Outputs:
        cells: float32 [N, H/4, W/4, 15], logits and box units of `targets.encode`.
        foreground: float32 [N, H/2, W/2, 1], the logit of the foreground mask.
    """
    picture = keras.Input([None, None, 3], name="picture")
    x = _convolution(picture, recipe.widths[0], stride=2)
    stages = []
    for width, blocks in zip(recipe.widths[1:], recipe.blocks, strict=True):
        x = _convolution(x, width, stride=2)
        for _ in range(blocks):
            x = _residual(x, width)
        stages.append(x)
    x = stages.pop()
    while stages:
        lateral = stages.pop()
        width = lateral.shape[-1]
        x = _convolution(x, width, size=1, activate=False)
        x = DepthToSpace()(layers.Concatenate()([x] * 4))  # nearest neighbour, any size
        x = _activation(layers.Add()([lateral, x]))
        x = _convolution(x, stages[-1].shape[-1] if stages else recipe.head)
    return keras.Model(picture, [_cells(x, recipe), _foreground(x, recipe)], name="detector")


def _cells(x: keras.KerasTensor, recipe: NetworkRecipe) -> keras.KerasTensor:
    """Objectness, ten classes, log width, log height, x and y offset: 15 channels.

    The bias of the objectness makes every cell background at the start.
    """
    x = _convolution(x, recipe.head)
    rare = keras.initializers.Constant(recipe.objectness_bias)
    outputs = [
        layers.Conv2D(1, 1, bias_initializer=rare, dtype="float32", name="objectness")(x),
        layers.Conv2D(10, 1, dtype="float32", name="classes")(x),
        layers.Conv2D(4, 1, dtype="float32", name="box")(x),
    ]
    return layers.Concatenate(name="cells", dtype="float32")(outputs)


def _foreground(x: keras.KerasTensor, recipe: NetworkRecipe) -> keras.KerasTensor:
    """Four mask pixels of each cell, rearranged to twice the resolution."""
    x = _convolution(x, recipe.mask_head)
    x = layers.Conv2D(4, 1, dtype="float32", name="mask")(x)
    return DepthToSpace(name="foreground", dtype="float32")(x)


class FusedBatchNormalization(layers.Layer):  # type: ignore[misc]
    """Batch norm as one operation on bfloat16: Keras' own computes many on float32."""

    MOMENTUM, EPSILON = 0.97, 1e-3

    def build(self, shape: tuple[int | None, ...]) -> None:
        def vector(name: str, start: str, trainable: bool) -> keras.Variable:
            return self.add_weight(
                shape=shape[-1:],
                initializer=start,
                dtype="float32",
                autocast=False,
                trainable=trainable,
                name=name,
            )

        self.gamma, self.beta = vector("gamma", "ones", True), vector("beta", "zeros", True)
        self.mean, self.variance = vector("mean", "zeros", False), vector("variance", "ones", False)

    def call(self, x: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=self.gamma.value,
            offset=self.beta.value,
            mean=tf.zeros([0]) if training else self.mean.value,
            variance=tf.zeros([0]) if training else self.variance.value,
            epsilon=self.EPSILON,
            is_training=training,
        )
        if training:
            for average, value in ((self.mean, mean), (self.variance, variance)):
                average.assign(average.value * self.MOMENTUM + value * (1 - self.MOMENTUM))
        return y

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape


class DepthToSpace(layers.Layer):  # type: ignore[misc]
    """Rearrange [N, H, W, 4C] to [N, 2H, 2W, C]."""

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return tf.nn.depth_to_space(x, 2)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, height, width, channels = shape
        size = (height and 2 * height, width and 2 * width)
        return (batch, *size, channels and channels // 4)


def _residual(x: keras.KerasTensor, width: int) -> keras.KerasTensor:
    y = _convolution(_convolution(x, width), width, activate=False)
    return _activation(layers.Add()([x, y]))


def _convolution(
    x: keras.KerasTensor, width: int, size: int = 3, stride: int = 1, activate: bool = True
) -> keras.KerasTensor:
    x = layers.Conv2D(width, size, stride, "same", use_bias=False, kernel_initializer="he_normal")(
        x
    )
    x = FusedBatchNormalization()(x)
    return _activation(x) if activate else x


def _activation(x: keras.KerasTensor) -> keras.KerasTensor:
    """ReLU6: a bounded range loses less in 8-bit arithmetic."""
    return layers.ReLU(max_value=6)(x)
