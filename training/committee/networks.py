"""Networks of the committee.

`m3`, `m5` and `m7` are those of S. An, M. Lee, S. Park, H. Yang and J. So, "An Ensemble of Simple
Convolutional Neural Network Models for MNIST Digit Recognition" (2020, arXiv:2008.10400), with half
the filters: convolutions without padding or pooling.
"""

from collections.abc import Callable, Iterable

import keras
from keras import layers


def m3(keep_prob: float) -> keras.Model:
    """Ten convolutions of 3x3, 16 to 88 filters."""
    return _without_padding(range(16, 89, 8), 3, keep_prob)


def m5(keep_prob: float) -> keras.Model:
    """Five convolutions of 5x5, 16 to 80 filters."""
    return _without_padding(range(16, 81, 16), 5, keep_prob)


def m7(keep_prob: float) -> keras.Model:
    """Four convolutions of 7x7, 24 to 96 filters."""
    return _without_padding(range(24, 97, 24), 7, keep_prob)


def residual(keep_prob: float) -> keras.Model:
    """A convolution and three residual blocks of 32, 64 and 128 filters."""
    image, x = _image()
    x = _relu(_convolution(x, 32))
    for filters, stride in ((32, 1), (64, 2), (128, 2)):
        shortcut = x if stride == 1 else _convolution(x, filters, size=1, stride=stride)
        x = _relu(_convolution(x, filters, stride=stride))
        x = _relu(layers.Add()([shortcut, _convolution(x, filters)]))
    return _classifier(image, layers.GlobalAveragePooling2D()(x), keep_prob)


def vgg(keep_prob: float) -> keras.Model:
    """Three pairs of 3x3 convolutions, each with pooling: 32, 64 and 128 filters."""
    image, x = _image()
    for filters in (32, 64, 128):
        x = _relu(_convolution(x, filters))
        x = layers.MaxPooling2D()(_relu(_convolution(x, filters)))
    return _classifier(image, layers.Flatten()(x), keep_prob)


def _without_padding(widths: Iterable[int], size: int, keep_prob: float) -> keras.Model:
    image, x = _image()
    for filters in widths:
        x = _relu(_convolution(x, filters, size, padding="valid"))
    return _classifier(image, layers.Flatten()(x), keep_prob)


def _image() -> tuple[keras.KerasTensor, keras.KerasTensor]:
    image = keras.Input([784], name="input")
    return image, layers.Reshape([28, 28, 1])(image)


def _convolution(
    x: keras.KerasTensor, filters: int, size: int = 3, stride: int = 1, padding: str = "same"
) -> keras.KerasTensor:
    """Convolution and batch norm."""
    x = layers.Conv2D(
        filters, size, stride, padding, use_bias=False, kernel_initializer="he_normal"
    )(x)
    return layers.BatchNormalization()(x)


def _relu(x: keras.KerasTensor) -> keras.KerasTensor:
    return layers.ReLU()(x)


def _classifier(image: keras.KerasTensor, x: keras.KerasTensor, keep_prob: float) -> keras.Model:
    x = layers.Dropout(1 - keep_prob)(x)
    # In float32 also where the other layers compute in bfloat16.
    return keras.Model(image, layers.Dense(10, "softmax", dtype="float32")(x))


NETWORKS: dict[str, Callable[[float], keras.Model]] = {
    network.__name__: network for network in (m3, m5, m7, residual, vgg)
}
"""Keep probability of dropout -> model of images, float32 [N, 784], to probabilities [N, 10]."""
