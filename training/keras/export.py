"""Writes a Keras model as a SavedModel."""

from pathlib import Path

import keras
import tensorflow as tf


def save_model(
    model: keras.Model, serve: tf.types.experimental.PolymorphicFunction, folder: Path
) -> None:
    """Write a SavedModel with one signature. `model.export` of Keras 3.15 writes variables twice.

    Args:
        model: the model that `serve` calls.
        serve: the signature `serving_default`.
        folder: where the SavedModel is written.
    """
    module = tf.Module()
    module.weights = [weight.value for weight in model.weights]
    tf.saved_model.save(module, str(folder), signatures=serve)
