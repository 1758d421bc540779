"""Networks of the family `k_*`."""

from collections.abc import Callable

import keras
from keras import layers


def k_ffnn(keep_prob: float) -> keras.Model:
    """Dense layers only, with the Sequential API: 784-1024-512-256-10."""
    hidden = []
    for units in (1024, 512, 256):
        hidden += [
            layers.Dense(units, use_bias=False, kernel_initializer="he_normal"),
            layers.BatchNormalization(),
            layers.ReLU(),
        ]
    return keras.Sequential(
        [
            keras.Input([784], name="input"),
            *hidden,
            layers.Dropout(1 - keep_prob),
            layers.Dense(10, activation="softmax", name="output"),
        ]
    )


def k_cnn(keep_prob: float) -> keras.Model:
    """Five convolutions, two of them with pooling, and a dense layer, with the functional API."""
    image = keras.Input([784], name="input")
    x = layers.Reshape([28, 28, 1])(image)
    x = _convolution(x, 32, size=5, pool=True)  # 12 x 12
    x = _convolution(x, 48, padding="same")
    x = _convolution(x, 64, pool=True)  # 5 x 5
    x = _convolution(x, 128, padding="same")
    x = _convolution(x, 128)  # 3 x 3
    x = layers.Dropout(1 - keep_prob)(layers.Flatten()(x))
    return keras.Model(image, layers.Dense(10, activation="softmax", name="output")(x))


def _convolution(
    x: keras.KerasTensor, filters: int, size: int = 3, padding: str = "valid", pool: bool = False
) -> keras.KerasTensor:
    """Convolution, optional pooling, batch norm and ReLU."""
    x = layers.Conv2D(
        filters, size, padding=padding, use_bias=False, kernel_initializer="he_normal"
    )(x)
    if pool:
        x = layers.MaxPooling2D()(x)
    return layers.ReLU()(layers.BatchNormalization()(x))


NETWORKS: dict[str, Callable[[float], keras.Model]] = {"k_ffnn": k_ffnn, "k_cnn": k_cnn}
"""Keep probability of dropout -> model of images, float32 [N, 784], to probabilities [N, 10]."""
