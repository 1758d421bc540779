"""Converts a Keras file to a SavedModel, without running code from the file."""

import contextlib
import io
import json
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from mnist_cli.errors import ModelError
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes.meta_graph import first_line, import_tensorflow

MAX_UNPACKED_BYTES = 2 * 2**30
"""The size of all weights; VGG16, a large network for images, has 0.5 GiB."""
MAX_CONFIG_BYTES = 16 * 2**20
ARCHIVE_MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
# Layers that run code from their configuration, or load other files.
CODE_LAYERS = ("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper")
TRUSTED_MODULES = ("keras", "builtins", "tensorflow.keras", "tf_keras")


@contextlib.contextmanager
def converted(file: Path) -> Iterator[Path]:
    """Convert a `.keras` or `.h5` file to a temporary SavedModel.

    Raises:
        ModelError: the file is damaged, or contains code or only weights, or Keras cannot load it.
    """
    check_keras_file(file)
    import_tensorflow()
    os.environ["KERAS_BACKEND"] = "tensorflow"
    with tempfile.TemporaryDirectory(prefix="mnist-") as folder:
        with native_output_hidden(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old configurations
            _export(file, Path(folder))
        yield Path(folder, "exported")


def _export(file: Path, folder: Path) -> None:
    import keras

    try:
        if not zipfile.is_zipfile(file):
            file = Path(shutil.copy(file, folder / f"model{file.suffix.lower()}"))
            _modernize(file)
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
        model.export(folder / "exported", verbose=False)
    except Exception as error:  # Keras raises errors of any type for damaged files
        raise ModelError(
            f"Keras cannot load it: {first_line(error)}; export it as a SavedModel with the "
            "version of Keras that wrote it"
        ) from error


def _modernize(file: Path) -> None:
    """Add an input layer to a `Sequential` of Keras 2.3 or older.

    There, the first layer has a `batch_input_shape`, from which Keras 3 derives a wrong shape.
    """
    import h5py

    with h5py.File(file, "r+") as content:
        config = json.loads(content.attrs["model_config"])
        if config["class_name"] != "Sequential":
            return
        if isinstance(config["config"], list):  # before Keras 2.2.3
            config["config"] = {"name": "sequential", "layers": config["config"]}
        layers = config["config"]["layers"]
        shape = layers[0]["config"].get("batch_input_shape")
        if shape and layers[0]["class_name"] != "InputLayer":
            del layers[0]["config"]["batch_input_shape"]
            layers.insert(0, {"class_name": "InputLayer", "config": {"batch_shape": shape}})
            content.attrs["model_config"] = json.dumps(config)


def check_keras_file(file: Path) -> None:
    """Check a file before Keras reads it.

    Raises:
        ModelError: it is not a Keras model, is too large, or contains code.
    """
    try:
        if zipfile.is_zipfile(file):
            _check_config(json.loads(_read_archive(file)))
        elif config := _read_hdf5(file, "a Keras file"):
            _check_config(json.loads(config))
        else:
            raise ModelError("the file contains only weights: save the whole model with model.save")
    except (OSError, ValueError, KeyError, RecursionError, zipfile.BadZipFile) as error:
        raise ModelError(f"damaged or not a Keras file: {first_line(error)}") from error


def _read_archive(file: Path) -> bytes:
    """Check the archive of a `.keras` file, and return its configuration."""
    with zipfile.ZipFile(file) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        for name in sizes:
            if name not in ARCHIVE_MEMBERS and not name.startswith("assets/"):
                raise ModelError(f"the file contains {name!r}, which is not part of a Keras model")
        _check_size(sum(sizes.values()))
        if sizes["config.json"] > MAX_CONFIG_BYTES:
            raise ModelError("config.json is too large")
        with archive.open("model.weights.h5") as weights:
            _read_hdf5(io.BytesIO(weights.read()), "model.weights.h5")
        return archive.read("config.json")


def _read_hdf5(file: Path | IO[bytes], name: str) -> bytes | None:
    """Check the datasets of an HDF5 file; return the configuration of its model, if any."""
    import h5py

    try:
        content = h5py.File(file, "r")
    except OSError as error:
        raise ModelError(f"damaged or not {name}: {first_line(error)}") from error
    with content:
        sizes: list[int] = []

        def add(_: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                sizes.append(item.nbytes)

        content.visititems(add)
        _check_size(sum(sizes))
        config = content.attrs.get("model_config")
        return config.encode() if isinstance(config, str) else config


def _check_size(size: int) -> None:
    if size > MAX_UNPACKED_BYTES:
        raise ModelError(
            f"the file unpacks to {size / 2**30:,.1f} GiB, more than the limit of "
            f"{MAX_UNPACKED_BYTES // 2**30} GiB"
        )


def _check_config(config: Any) -> None:
    """Check that a configuration uses only layers of Keras without code."""
    if isinstance(config, list):
        for item in config:
            _check_config(item)
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
            _check_config(item)
