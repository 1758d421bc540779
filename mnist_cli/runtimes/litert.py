"""The fast runtime: runs a compiled model in LiteRT, without TensorFlow."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from mnist_cli.errors import ModelError, UnsupportedByLiteRTError, reason
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
    def reset_all_variables(self) -> None: ...
    def set_tensor(self, tensor_index: int, value: npt.NDArray[Any]) -> None: ...
    def invoke(self) -> None: ...
    def get_tensor(self, tensor_index: int) -> npt.NDArray[Any]: ...


class ThreadState(threading.local):
    """The interpreter of a thread; a LiteRT interpreter must not be shared between threads."""

    def __init__(
        self,
        new_interpreter: Callable[[], Interpreter],
        select: "Callable[[ThreadState], None]",
    ) -> None:
        self.interpreter = new_interpreter()
        self.inputs = self.interpreter.get_input_details()
        self.outputs = self.interpreter.get_output_details()
        self.input, self.output = self.inputs[0], self.outputs[0]
        self.fixed_batch_size: int | None = None
        self.batch_size = 0
        select(self)


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
                f"LiteRT is required but cannot be imported ({error})",
                "install it with: pip install ai-edge-litert",
            ) from error
        # The first interpreter prints which delegate it uses, and LiteRT has no option against it.
        with native_output_hidden(even_if_verbose=True):
            try:
                self._thread = ThreadState(
                    lambda: interpreter.Interpreter(model_content=compiled, num_threads=1),
                    self._select,
                )
                self.predict_proba(np.zeros((1, 784), np.float32))
            except (ValueError, RuntimeError) as error:
                problem = reason(error) if str(error) else "an operation failed for lack of memory"
                raise UnsupportedByLiteRTError(f"LiteRT cannot run it: {problem}") from error

    def predict_proba(self, batch: Batch) -> Scores:
        thread = self._thread
        interpreter = thread.interpreter
        scores = []
        size = thread.fixed_batch_size or MAX_BATCH_SIZE
        for start in range(0, len(batch), size):
            images = batch[start : start + size]
            count = len(images)
            if thread.fixed_batch_size and count < size:
                images = np.pad(images, ((0, size - count), (0, 0)))
            tensor = self._encode(images, thread)
            if thread.batch_size != len(images):
                interpreter.resize_tensor_input(thread.input["index"], tensor.shape)
                interpreter.allocate_tensors()
                thread.batch_size = len(images)
            interpreter.set_tensor(thread.input["index"], tensor)
            interpreter.reset_all_variables()  # a recurrent layer keeps its state between runs
            interpreter.invoke()
            outputs = interpreter.get_tensor(thread.output["index"])
            scores.append(self._decode(outputs, thread)[:count])
        return scores[0] if len(scores) == 1 else np.concatenate(scores)

    def _select(self, thread: ThreadState) -> None:
        """Select the tensors of the interpreter of a thread; by default the first ones."""

    def _encode(self, images: Batch, thread: ThreadState) -> npt.NDArray[Any]:
        """Convert images [N, 784] to the input tensor."""
        return images

    def _decode(self, outputs: npt.NDArray[Any], thread: ThreadState) -> Scores:
        """Convert the output tensor to probabilities [N, C]."""
        return outputs
