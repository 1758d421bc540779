"""Runs a `.tflite` file as it is: with float or quantized tensors, and any batch size."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from mnist_cli.errors import ModelError, UnsupportedByLiteRTError
from mnist_cli.records import GraphDescription, Precision
from mnist_cli.runtimes import Batch, Scores
from mnist_cli.runtimes.activation import Activation, activate, missing_activation, test_images
from mnist_cli.runtimes.arrange import arrange
from mnist_cli.runtimes.litert import LiteRTRuntime, ThreadState
from mnist_cli.signature import Signatures, TensorInfo, image_layout, select_tensors

IDENTIFIER = b"TFL3"


class TFLiteFileRuntime(LiteRTRuntime):
    """Runs a file that was compiled elsewhere."""

    def __init__(self, content: bytes) -> None:
        """Load the content of a file.

        Raises:
            ModelError: it is damaged or not supported.
        """
        if content[4:8] != IDENTIFIER:
            raise ModelError("damaged or not a .tflite file")
        self._activation: Activation = "none"
        try:
            super().__init__(content)
        except UnsupportedByLiteRTError as error:
            tip = "use the SavedModel or Keras file that it was converted from"
            raise ModelError(error.problem, tip) from error
        outputs = self.predict_proba(test_images())
        self._activation = missing_activation(outputs)
        thread = self._thread
        is_quantized = np.issubdtype(thread.input["dtype"], np.integer)
        self.precision: Precision = "int8" if is_quantized else "float32"

    def _select(self, thread: ThreadState) -> None:
        """Select the tensors of the image and of the scores.

        Raises:
            ModelError: the file has other tensors.
        """
        inputs, outputs = thread.inputs, thread.outputs
        if len(inputs) != 1:
            found = ", ".join(details["name"] for details in inputs)
            raise ModelError(f"expected one input for an image, found {len(inputs)}: {found}")
        names = select_tensors(self._signatures(thread))
        thread.input = inputs[0]
        thread.output = next(d for d in outputs if d["name"] == names.scores)
        layout = image_layout([None, *_sizes(thread.input)[1:]])
        assert layout is not None  # `select_tensors` has checked it
        self._layout = layout  # the same in all threads
        if _sizes(thread.input)[0] is not None:
            thread.fixed_batch_size = int(thread.input["shape"][0])

    @property
    def input_limits(self) -> tuple[float, float]:
        """The smallest and largest value that a quantized input can represent."""
        scale, zero_point = self._thread.input["quantization"]
        if not scale:
            return -math.inf, math.inf
        levels = np.iinfo(self._thread.input["dtype"])
        return float(scale * (levels.min - zero_point)), float(scale * (levels.max - zero_point))

    @staticmethod
    def _signatures(thread: ThreadState) -> Signatures:
        return {
            "serving_default": {
                "inputs": {details["name"]: _info(details) for details in thread.inputs},
                "outputs": {details["name"]: _info(details) for details in thread.outputs},
                "method": "",
            }
        }

    def describe(self) -> GraphDescription:
        """Return the tensors and operations of the file."""
        return {
            "tags": [],
            "tensorflow": "",
            "signatures": self._signatures(self._thread),
            "variables": [],
            "parameters": 0,
            "operations": {},
        }

    def _encode(self, images: Batch, thread: ThreadState) -> npt.NDArray[Any]:
        values = arrange(np, images, self._layout)
        scale, zero_point = thread.input["quantization"]
        if scale:
            values = values / scale + zero_point
        dtype = np.dtype(thread.input["dtype"])
        if np.issubdtype(dtype, np.integer):
            limits = np.iinfo(dtype)
            values = np.clip(np.round(values), limits.min, limits.max)
        return np.asarray(values, dtype)

    def _decode(self, outputs: npt.NDArray[Any], thread: ThreadState) -> Scores:
        scores = outputs.reshape(len(outputs), -1).astype(np.float32)
        scale, zero_point = thread.output["quantization"]
        if scale:
            scores = (scores - np.float32(zero_point)) * np.float32(scale)
        return activate(scores, self._activation)


def _sizes(details: dict[str, Any]) -> list[int | None]:
    signature = details["shape_signature"]
    shape = signature if len(signature) else details["shape"]
    return [None if size == -1 else int(size) for size in shape]


def _info(details: dict[str, Any]) -> TensorInfo:
    """Describe a tensor; the values of quantized ones are floats."""
    scale, _ = details["quantization"]
    dtype = "float32" if scale else np.dtype(details["dtype"]).name
    return {"name": details["name"], "dtype": dtype, "shape": [None, *_sizes(details)[1:]]}
