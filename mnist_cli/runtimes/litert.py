"""The fast runtime: runs a compiled model in LiteRT, without TensorFlow."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from mnist_cli.errors import ModelError
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes import Batch, Scores

# Images per run of the interpreter; bounds the memory of its activations.
MAX_BATCH_SIZE = 64


class Interpreter(Protocol):
    """What is used of `ai_edge_litert.interpreter.Interpreter`, which has no type hints."""

    def get_input_details(self) -> list[dict[str, Any]]: ...
    def get_output_details(self) -> list[dict[str, Any]]: ...
    def resize_tensor_input(self, input_index: int, tensor_size: Sequence[int]) -> None: ...
    def allocate_tensors(self) -> None: ...
    def set_tensor(self, tensor_index: int, value: Batch) -> None: ...
    def invoke(self) -> None: ...
    def get_tensor(self, tensor_index: int) -> Scores: ...


class _ThreadState(threading.local):
    """The interpreter of a thread; a LiteRT interpreter must not be shared between threads."""

    def __init__(self, new_interpreter: Callable[[], Interpreter]) -> None:
        self.interpreter = new_interpreter()
        self.input_index: int = self.interpreter.get_input_details()[0]["index"]
        output = self.interpreter.get_output_details()[0]
        self.output_index: int = output["index"]
        self.classes = int(output["shape"][1])
        self.batch_size = 0


class LiteRTRuntime:
    """Runs a compiled model in LiteRT, with one interpreter per thread."""

    name = "litert"

    def __init__(self, compiled: bytes) -> None:
        """Load the content of a `model.tflite` that `mnist_cli.compiler` wrote.

        Raises:
            ModelError: LiteRT cannot be imported, or cannot run this model.
        """
        try:
            from ai_edge_litert import interpreter
        except ImportError as error:
            raise ModelError(
                f"LiteRT is required but cannot be imported ({error}); install it with: "
                "pip install ai-edge-litert"
            ) from error
        with native_output_hidden():  # the first interpreter prints messages to stderr
            try:
                self._thread = _ThreadState(
                    lambda: interpreter.Interpreter(model_content=compiled, num_threads=1)
                )
                self.predict_proba(np.zeros((1, 784), np.float32))
            except (ValueError, RuntimeError) as error:
                raise ModelError(f"LiteRT cannot run it: {error}") from error

    def predict_proba(self, batch: Batch) -> Scores:
        thread = self._thread
        interpreter = thread.interpreter
        scores = np.empty((len(batch), thread.classes), np.float32)
        for start in range(0, len(batch), MAX_BATCH_SIZE):
            images = batch[start : start + MAX_BATCH_SIZE]
            if thread.batch_size != len(images):
                interpreter.resize_tensor_input(thread.input_index, images.shape)
                interpreter.allocate_tensors()
                thread.batch_size = len(images)
            interpreter.set_tensor(thread.input_index, images)
            interpreter.invoke()
            scores[start : start + MAX_BATCH_SIZE] = interpreter.get_tensor(thread.output_index)
        return scores
