"""The compiled detector in LiteRT."""

from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class CompiledDetector:
    """A LiteRT interpreter for pictures of any size; not safe to share between threads."""

    def __init__(self, file: Path, threads: int = 1) -> None:
        """Load a compiled detector."""
        self._interpreter = Interpreter(str(file), num_threads=threads)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._shape: tuple[int, ...] = ()

    def __call__(self, picture: Floats) -> tuple[Floats, Floats]:
        """Return cells [H/4, W/4, 15] and foreground [H/2, W/2] of a normalized picture.

        Args:
            picture: float32 [H, W, 3]; H and W are multiples of 32.
        """
        batch = picture[None]
        if batch.shape != self._shape:
            self._interpreter.resize_tensor_input(self._input, batch.shape, strict=True)
            self._interpreter.allocate_tensors()
            self._shape = batch.shape
        self._interpreter.set_tensor(self._input, batch)
        self._interpreter.invoke()
        outputs = [
            self._interpreter.get_tensor(output["index"])[0]
            for output in self._interpreter.get_output_details()
        ]
        outputs.sort(key=lambda output: -output.shape[-1])
        return outputs[0], outputs[1][..., 0]
