"""The exported graph: a trained network without any training operations."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1
from numpy.typing import NDArray

from training.data import Batch
from training.graph.networks import Network

Weights = Mapping[str, NDArray[np.float32]]
"""Values by the name of the variable, such as `dense1/kernel`."""

BATCH_SIZE = 500
"""Images per call; limits the memory."""


class InferenceGraph:
    """A network with the tensors `input:0`, `dropoutRate:0` and `output:0`.

    `dropoutRate` is the probability that dropout keeps a unit, as in the original models of 2017.
    Feed 1.0.
    """

    def __init__(self, network: Network) -> None:
        with tf.Graph().as_default() as graph:
            self._image, self._keep_prob = inputs()
            logits = network(self._image, self._keep_prob, False)
            self._output = tf.nn.softmax(logits, name="output")
            self._variables = {variable.op.name: variable for variable in v1.global_variables()}
            self._initialise = v1.global_variables_initializer()
        self._session = v1.Session(graph=graph)
        self._session.run(self._initialise)

    def load(self, weights: Weights) -> None:
        """Set the weights of all variables."""
        # The initializers read tensors of the graph, which can be fed.
        values = {v.initializer.inputs[1]: weights[name] for name, v in self._variables.items()}
        self._session.run(self._initialise, values)

    def predict(self, batch: Batch) -> NDArray[np.float32]:
        """Return the probabilities, float32 [N, 10], for images float32 [N, 784]."""
        parts = [batch[start : start + BATCH_SIZE] for start in range(0, len(batch), BATCH_SIZE)]
        return np.concatenate(
            [
                self._session.run(self._output, {self._image: part, self._keep_prob: 1.0})
                for part in parts
            ]
        )

    def save(self, folder: Path) -> None:
        """Write a SavedModel into a new folder."""
        with self._session.graph.as_default():
            v1.saved_model.simple_save(
                self._session,
                str(folder),
                inputs={"input": self._image, "dropout": self._keep_prob},
                outputs={"output": self._output},
            )


def inputs() -> tuple[tf.Tensor, tf.Tensor]:
    """Return the placeholders for images, float32 [N, 784], and keep probability, float32."""
    image = v1.placeholder(tf.float32, [None, 784], name="input")
    keep_prob = v1.placeholder(tf.float32, [], name="dropoutRate")
    return image, keep_prob
