"""Makes Keras and TensorFlow Lite files of the classifier that NumPy can check."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from tests.models import Weights


def keras_model(
    weights: Weights, *first: Any, shape: tuple[int, ...] = (28, 28, 1), softmax: bool = True
) -> Any:
    """Return a Keras model that starts with the layers `first`."""
    import keras

    dense = keras.layers.Dense(10, activation="softmax" if softmax else None)
    model = keras.Sequential([keras.Input(shape), *first, keras.layers.Flatten(), dense])
    dense.set_weights([weights.kernel, weights.bias])
    return model


def keras_2_h5(file: Path, weights: Weights, activation: str = "softmax") -> Path:
    """Write a file with the configuration that Keras 2.3 writes, as a part of TensorFlow 1.15."""
    import h5py

    model = keras_model(weights)
    model.save(file)
    flatten, dense = model.layers
    config = {
        "class_name": "Sequential",
        "config": {
            "name": "sequential_1",
            "layers": [
                {
                    "class_name": "Flatten",
                    "config": {
                        "name": flatten.name,
                        "trainable": True,
                        "batch_input_shape": [None, 28, 28, 1],
                        "dtype": "float32",
                        "data_format": "channels_last",
                    },
                },
                {
                    "class_name": "Dense",
                    "config": {
                        "name": dense.name,
                        "trainable": True,
                        "dtype": "float32",
                        "units": 10,
                        "activation": activation,
                        "use_bias": True,
                        "kernel_initializer": {
                            "class_name": "VarianceScaling",
                            "config": {
                                "scale": 1.0,
                                "mode": "fan_avg",
                                "distribution": "uniform",
                                "seed": None,
                                "dtype": "float32",
                            },
                        },
                        "bias_initializer": {"class_name": "Zeros", "config": {}},
                        "kernel_regularizer": None,
                        "bias_regularizer": None,
                        "activity_regularizer": None,
                        "kernel_constraint": None,
                        "bias_constraint": None,
                    },
                },
            ],
        },
    }
    with h5py.File(file, "r+") as content:
        content.attrs["model_config"] = json.dumps(config).encode()
        content.attrs["keras_version"] = b"2.3.1"
    return file


def tflite(
    file: Path,
    model: Any,
    quantize: Literal["int8", "uint8"] | None = None,
    images: npt.NDArray[np.float32] | None = None,
) -> Path:
    """Convert a Keras model, with a dynamic batch size; if quantized, calibrated with images."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if quantize and images is not None:
        calibration = images.reshape(-1, 1, *model.input_shape[1:])
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([image] for image in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = getattr(tf, quantize)
        converter.inference_output_type = getattr(tf, quantize)
    file.write_bytes(converter.convert())
    return file


def tflite_of(
    file: Path,
    function: Callable[..., Any],
    *specs: Any,
    custom_operations: bool = False,
    tensorflow_operations: bool = False,
) -> Path:
    """Convert a function of tensors with fixed shapes."""
    import tensorflow as tf

    concrete = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], concrete)
    converter.allow_custom_ops = custom_operations
    if tensorflow_operations:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    file.write_bytes(converter.convert())
    return file
