"""Checks the configuration of a Keras model, and converts one of Keras 2 to Keras 3."""

import copy
from collections.abc import Iterator
from typing import Any

from mnist_cli.errors import ModelError

# Layers that run code from their configuration, or load other files.
CODE_LAYERS = ("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper")
TRUSTED_MODULES = ("keras", "builtins", "tensorflow.keras", "tf_keras")
# Arguments that matter only in training. Those of Keras 2 have parameters that Keras 3 rejects.
TRAINING_SUFFIXES = ("_constraint", "_initializer", "_regularizer")
# Arguments that Keras 3 has removed from some layers, with the value that they have by default.
REMOVED_DEFAULTS = {"groups": 1, "noise_shape": None, "time_major": False}


def check_config(config: Any) -> None:
    """Check that a configuration uses only layers of Keras without code.

    Raises:
        ModelError: it uses others.
    """
    if isinstance(config, list):
        for item in config:
            check_config(item)
    elif isinstance(config, dict):
        name, module = config.get("class_name"), config.get("module")
        if name in CODE_LAYERS:
            raise ModelError(
                f"the model has a layer {name}, which runs code that a file may not bring along: "
                "export it as a SavedModel where you trust it"
            )
        if isinstance(module, str) and not f"{module}.".startswith(
            tuple(f"{trusted}." for trusted in TRUSTED_MODULES)
        ):
            raise ModelError(
                f"the model needs {module}.{name}, which is not part of Keras: export it as a "
                "SavedModel"
            )
        for item in config.values():
            check_config(item)


def modernized(config: Any) -> Any:
    """Convert the configuration of a model of Keras 2, or of a layer, so that Keras 3 reads it."""
    if isinstance(config, list):
        return [modernized(item) for item in config]
    if not isinstance(config, dict):
        return config
    # Losses are not needed, and those of a model inside another would be loaded.
    config = {key: value for key, value in config.items() if key != "compile_config"}
    name, arguments = config.get("class_name"), config.get("config")
    if name == "Sequential":
        config["config"] = _with_input_layer(arguments)
    elif name in ("Functional", "Model"):
        config["config"] = _with_layers_of_keras_3(arguments)
    elif isinstance(arguments, dict):
        config["config"] = known = _with_known_arguments(name, arguments)
        if isinstance(known.get("axis"), list):
            # Without a module, the reader of HDF5 files ignores several axes.
            config = {"module": "keras.layers", "registered_name": None, **config}
    if config.get("module") == "keras.src.engine.functional":
        config["module"] = "keras.src.models.functional"
    return {key: modernized(value) for key, value in config.items()}


def with_hard_sigmoid(config: Any, function: str) -> Any:
    """Replace the activation `hard_sigmoid`, which is another function in Keras 3, by a custom one.

    It is the default of recurrent layers before Keras 2.3 and in TensorFlow 1.
    """
    if isinstance(config, list):
        return [with_hard_sigmoid(item, function) for item in config]
    if isinstance(config, dict):
        return {key: with_hard_sigmoid(value, function) for key, value in config.items()}
    custom = {"class_name": "function", "config": function, "module": None}
    return {**custom, "registered_name": function} if config == "hard_sigmoid" else config


def _with_known_arguments(layer: Any, arguments: dict[str, Any]) -> dict[str, Any]:
    known = {
        key: value
        for key, value in arguments.items()
        if not key.endswith(TRAINING_SUFFIXES) and REMOVED_DEFAULTS.get(key, ...) != value
    }
    if layer != "InputLayer":
        known.pop("batch_input_shape", None)
    if str(layer).startswith("SpatialDropout"):
        known.pop("trainable", None)
    if layer == "RandomRotation":
        known.pop("value_range", None)
    if layer == "BatchNormalization" and isinstance(known.get("axis"), list):
        [known["axis"]] = known["axis"]
    return known


def _with_layers_of_keras_3(model: dict[str, Any]) -> dict[str, Any]:
    """Convert the references to the layers of a functional model.

    Keras 2 counts the construction of a model inside another as its first call, and has a list of
    inputs and outputs also if there is only one.
    """
    model = copy.deepcopy(model)
    nodes = {layer["name"]: layer["inbound_nodes"] for layer in model["layers"]}
    references = list(_references([*nodes.values(), model["output_layers"]]))
    shifted = {name for name, call, *_ in references if call >= len(nodes[name]) > 0}
    for reference in references:
        if reference[0] in shifted:
            reference[1] -= 1
    for key in ("input_layers", "output_layers"):
        match model[key]:
            case [[*reference]]:
                model[key] = reference
    return model


def _references(item: Any) -> Iterator[list[Any]]:
    """Yield the references `[layer, call, output, ...]` to outputs of layers, as in Keras 2."""
    if isinstance(item, list):
        if len(item) >= 3 and isinstance(item[0], str):
            yield item
        else:
            for part in item:
                yield from _references(part)


def _with_input_layer(model: Any) -> Any:
    """Add the input layer that a `Sequential` of Keras 2.3 or older lacks.

    There, the first layer has a `batch_input_shape`.
    """
    if isinstance(model, list):  # before Keras 2.2.3
        model = {"name": "sequential", "layers": model}
    first = model["layers"][0]
    shape = first["config"].get("batch_input_shape")
    if shape is None or first["class_name"] == "InputLayer":
        return model
    inputs = {"class_name": "InputLayer", "config": {"batch_shape": shape}}
    return {**model, "layers": [inputs, *model["layers"]]}
