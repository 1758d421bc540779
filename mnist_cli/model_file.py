"""Models in one file: Keras and TensorFlow Lite, and formats that must be converted first."""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from mnist_cli.errors import ModelError
from mnist_cli.stored_model import StoredModel

MAX_FILE_BYTES = 2 * 2**30
"""The limit of FlatBuffers, and so of TensorFlow Lite."""
_EXPORT = "export it as a SavedModel or .tflite"
UNSUPPORTED_SUFFIXES = {
    ".onnx": "an ONNX model: convert it to a SavedModel or .tflite with onnx2tf",
    ".pb": "a graph of TensorFlow without a SavedModel: write one with "
    "tf.compat.v1.saved_model.simple_save, and pass its folder",
    ".pt": f"a model of PyTorch: {_EXPORT} with litert-torch",
    ".pth": f"a model of PyTorch: {_EXPORT} with litert-torch",
    ".safetensors": "weights without a model: load them into their model and " + _EXPORT,
    ".pkl": "a pickle, which could run any code: load it with the program that wrote it and "
    + _EXPORT,
}


@dataclass(frozen=True)
class ModelFile(StoredModel):
    """A model in one file."""

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the file."""
        return hashlib.sha256(self.read()).hexdigest()

    @property
    def sizes(self) -> dict[str, int]:
        return {"file": self.path.stat().st_size}

    def read(self) -> bytes:
        """Return the content of the file.

        Raises:
            ModelError: the file cannot be read, or is too large.
        """
        try:
            if (size := self.path.stat().st_size) > MAX_FILE_BYTES:
                raise ModelError(
                    f"the file has {size / 2**30:.1f} GiB, more than the limit of 2 GiB"
                )
            return self.path.read_bytes()
        except OSError as error:
            raise ModelError(f"{self.path}: {error.strerror}") from error


class KerasFile(ModelFile):
    """A `.keras` or `.h5` file, which Keras converts before it is compiled."""


class TFLiteFile(ModelFile):
    """A `.tflite` file, which LiteRT runs as it is; the cache has only its description."""

    def compiled_file(self, folder: Path) -> Path:
        return self.path


SUPPORTED_SUFFIXES: dict[str, type[ModelFile]] = {
    ".keras": KerasFile,
    ".h5": KerasFile,
    ".hdf5": KerasFile,
    ".tflite": TFLiteFile,
}


def model_file(name: str, path: Path) -> ModelFile | None:
    """Return the model in a file, or None if it is not a regular file with a supported suffix."""
    kind = SUPPORTED_SUFFIXES.get(path.suffix.lower())
    return kind(name, path) if kind and path.is_file() else None
