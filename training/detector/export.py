"""From averaged weights to a SavedModel and its LiteRT compilation with 8-bit weights."""

import shutil
from pathlib import Path

import keras
import tensorflow as tf

from training.detector.fit import FOLDER, PUBLISHED, load_network
from training.keras.export import save_model
from training.publish import replace_model

SAVED_MODEL = FOLDER / "export" / "saved_model"
COMPILED = FOLDER / "export" / "detector.tflite"
COMPILED_FLOAT = FOLDER / "export" / "detector-float32.tflite"


def export() -> None:
    """Write the SavedModel and both compilations of the newest snapshot.

    The signature `serving_default` takes `picture`, float32 [1, H, W, 3], RGB, normalized by
    `targets.normalize` and padded with zeros to multiples of 32, and returns `cells`, float32
    [1, H/4, W/4, 15], and `foreground`, float32 [1, H/2, W/2, 1], both logits.
    """
    model = load_network()
    shutil.rmtree(SAVED_MODEL, ignore_errors=True)
    save_model(model, _serving(model), SAVED_MODEL)
    COMPILED_FLOAT.write_bytes(_compiled(SAVED_MODEL, quantized=False))
    COMPILED.write_bytes(_compiled(SAVED_MODEL, quantized=True))


def publish() -> None:
    """Replace the detector of the package by the exported one."""
    new = FOLDER / "export" / "published"
    shutil.rmtree(new, ignore_errors=True)
    shutil.copytree(SAVED_MODEL, new)
    (new / "assets.extra").mkdir()
    shutil.copy(COMPILED, new / "assets.extra" / "model.tflite")
    replace_model(PUBLISHED, new, FOLDER / "export" / "replaced")


def _serving(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    spec = tf.TensorSpec([1, None, None, 3], tf.float32, name="picture")

    def serve(picture: tf.Tensor) -> dict[str, tf.Tensor]:
        cells, foreground = model(picture, training=False)
        return {"cells": cells, "foreground": foreground}

    return tf.function(serve, input_signature=[spec])


def _compiled(folder: Path, quantized: bool) -> bytes:
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    if quantized:  # dynamic range: 8-bit weights, activations are quantized as they come
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    return bytes(converter.convert())
