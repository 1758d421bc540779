"""Converts a Keras file to a SavedModel, without running code from the file."""

import contextlib
import io
import json
import os
import re
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from mnist_cli.errors import ModelError, reason
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes.keras_config import check_config, modernized, with_hard_sigmoid
from mnist_cli.runtimes.meta_graph import import_tensorflow

MAX_UNPACKED_BYTES = 2 * 2**30
"""The size of all weights; VGG16, a large network for images, has 0.5 GiB."""
MAX_CONFIG_BYTES = 16 * 2**20
ARCHIVE_MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
VOCABULARY = re.compile(r"assets/([\w-]+/)*vocabulary\.txt")
"""The files of layers such as StringLookup."""
HARD_SIGMOID = "keras_2_hard_sigmoid"
KERAS_1 = "1.0"  # which does not write its version


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
        if zipfile.is_zipfile(file):
            _copy_modernized_archive(file, copy := folder / "model.keras")
        else:
            _modernize_hdf5(copy := Path(shutil.copy(file, folder / "model.h5")))
        with keras.saving.custom_object_scope({HARD_SIGMOID: _hard_sigmoid}):
            model = keras.saving.load_model(copy, compile=False, safe_mode=True)
        # `export` would run layers that augment images as in training.
        outputs = model(model.inputs if len(model.inputs) > 1 else model.inputs[0], training=False)
        keras.Model(model.inputs, outputs).export(folder / "exported", verbose=False)
    except Exception as error:  # Keras raises errors of any type for damaged files
        raise ModelError(
            f"Keras cannot load it: {_innermost_reason(error)}; export it as a SavedModel with the "
            "version of Keras that wrote it"
        ) from error


def _innermost_reason(error: Exception) -> str:
    """Return the first sentence of the innermost error; Keras adds configurations and advice."""
    innermost = Exception(str(error).rpartition("Exception encountered: ")[2])
    return reason(innermost).partition(". ")[0]


def _hard_sigmoid(x: Any) -> Any:
    """The hard sigmoid of Keras 2; that of Keras 3 has a slope of 1/6."""
    from keras import ops

    return ops.clip(0.2 * x + 0.5, 0, 1)


def _modernized(config: str | bytes, version: str) -> str:
    """Convert a configuration, written by a version of Keras, for Keras 3."""
    converted = modernized(json.loads(config))
    if version.startswith(("1.", "2.")):
        converted = with_hard_sigmoid(converted, HARD_SIGMOID)
    return json.dumps(converted)


def _copy_modernized_archive(file: Path, copy: Path) -> None:
    with zipfile.ZipFile(file) as source, zipfile.ZipFile(copy, "w") as target:
        version = json.loads(source.read("metadata.json"))["keras_version"]
        for name in set(source.namelist()):  # of several with a name, the last is checked
            content = source.read(name)
            if name == "config.json":
                content = _modernized(content, version).encode()
            target.writestr(name, content)


def _modernize_hdf5(file: Path) -> None:
    import h5py

    with h5py.File(file, "r+") as content:
        attributes = content.attrs
        version = attributes.get("keras_version", KERAS_1)
        version = version.decode() if isinstance(version, bytes) else version
        attributes["model_config"] = _modernized(attributes["model_config"], version)


def check_keras_file(file: Path) -> None:
    """Check a file before Keras reads it.

    Raises:
        ModelError: it is not a Keras model, is too large, or contains code.
    """
    try:
        if zipfile.is_zipfile(file):
            check_config(json.loads(_read_archive(file)))
        elif config := _read_hdf5(file, "a Keras file"):
            check_config(json.loads(config))
        else:
            raise ModelError("the file contains only weights: save the whole model with model.save")
    except ModelError:
        raise
    except Exception as error:  # zipfile and h5py raise errors of any type for damaged files
        raise ModelError(f"damaged or not a Keras file: {reason(error)}") from error


def _read_archive(file: Path) -> bytes:
    """Check the archive of a `.keras` file, and return its configuration."""
    with zipfile.ZipFile(file) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
        for name, size in sizes.items():
            if name not in ARCHIVE_MEMBERS and not VOCABULARY.fullmatch(name):
                raise ModelError(f"the file contains {name!r}, which is not part of a Keras model")
            if name.endswith(".json") and size > MAX_CONFIG_BYTES:
                raise ModelError(f"{name} is too large")
        _check_size(sum(sizes.values()))
        with archive.open("model.weights.h5") as weights:
            _read_hdf5(io.BytesIO(weights.read()), "model.weights.h5")
        return archive.read("config.json")


def _read_hdf5(file: Path | IO[bytes], name: str) -> bytes | None:
    """Check the datasets of an HDF5 file; return the configuration of its model, if any."""
    import h5py

    try:
        content = h5py.File(file, "r")
    except OSError as error:
        raise ModelError(f"damaged or not {name}: {reason(error)}") from error
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
