"""The fast engine: a compiled model in LiteRT, without TensorFlow."""

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from mnist_cli.errors import ModelError
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes import Batch

# Bounds the memory of the activations, whatever the size of the batch that is handed in.
MAX_BATCH_SIZE = 64


class LiteRTRuntime:
    """Runs a compiled model; every thread gets an interpreter of its own."""

    name = "litert"

    def __init__(self, compiled: bytes) -> None:
        """Take the content of a `model.tflite` that `mnist_cli.compiler` made.

        Raises:
            ModelError: LiteRT cannot be imported, or cannot run this model.
        """
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:
            raise ModelError(
                f"LiteRT cannot be imported ({error}): pip install ai-edge-litert"
            ) from error
        self._new_interpreter: Callable[[], Any] = lambda: Interpreter(
            model_content=compiled, num_threads=1
        )
        self._local = threading.local()
        with native_output_hidden():  # the first interpreter announces itself on stderr
            try:
                self.predict_proba(np.zeros((1, 784), np.float32))
            except (ValueError, RuntimeError) as error:
                raise ModelError(f"LiteRT cannot run it: {error}") from error

    def predict_proba(self, batch: Batch) -> Batch:
        """Pictures [N, 784] float32, ink 1.0 and paper 0.0 -> probabilities [N, 10] float32."""
        if not hasattr(self._local, "interpreter"):
            self._create_interpreter()
        interpreter, input_index, output_index = self._local.interpreter
        probabilities = np.empty((len(batch), 10), np.float32)
        for start in range(0, len(batch), MAX_BATCH_SIZE):
            chunk = batch[start : start + MAX_BATCH_SIZE]
            if self._local.size != len(chunk):
                interpreter.resize_tensor_input(input_index, chunk.shape)
                interpreter.allocate_tensors()
                self._local.size = len(chunk)
            interpreter.set_tensor(input_index, chunk)
            interpreter.invoke()
            probabilities[start : start + MAX_BATCH_SIZE] = interpreter.get_tensor(output_index)
        return probabilities

    def _create_interpreter(self) -> None:
        interpreter = self._new_interpreter()
        input_index = interpreter.get_input_details()[0]["index"]
        output_index = interpreter.get_output_details()[0]["index"]
        self._local.interpreter = interpreter, input_index, output_index
        self._local.size = 0
