"""The reference runtime: runs any supported SavedModel in TensorFlow."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnist_cli.class_labels import MIN_SUM
from mnist_cli.errors import ModelError, reason
from mnist_cli.native_output import native_output_hidden
from mnist_cli.runtimes import Batch, Scores
from mnist_cli.runtimes.activation import missing_activation, test_images
from mnist_cli.runtimes.arrange import arrange
from mnist_cli.runtimes.freeze import freeze
from mnist_cli.runtimes.graph_edits import IMAGE, switches
from mnist_cli.runtimes.meta_graph import import_tensorflow

MAX_LEVEL = 255
"""The largest value of an input of integers; the smallest is 0."""


@dataclass(frozen=True)
class TensorFlowRuntime:
    """A frozen graph from images to probabilities; returned by `load_saved_model`.

    The variables are constants, the images are arranged as the model's input, dropout is off, and
    logits go through a softmax. The compiler takes the same graph.
    """

    name = "tensorflow"
    session: Any
    batch: Any
    """The input tensor, float32 [N, 784]."""
    probabilities: Any
    """The output tensor, float32 [N, 10], or [N, 11] with a class for blank images."""
    labels: tuple[str, ...] | None = None
    """The labels of the outputs, if the model has any."""

    def predict_proba(self, batch: Batch) -> Scores:
        scores: Scores = self.session.run(self.probabilities, {self.batch: batch})
        return scores


def load_saved_model(folder: Path) -> TensorFlowRuntime:
    """Load a SavedModel.

    Raises:
        ModelError: TensorFlow is not installed, or the model is damaged or not supported.
    """
    with native_output_hidden():
        return _load(import_tensorflow(), folder)


def _load(tf: Any, folder: Path) -> TensorFlowRuntime:
    frozen = freeze(folder)
    graph = tf.Graph()
    # Everything is in one graph, because eager functions could not be compiled afterwards.
    with graph.as_default():
        batch = tf.compat.v1.placeholder(tf.float32, [None, 784], "batch")
        image = arrange(tf, batch, frozen.layout)
        if frozen.dtype.is_integer:
            image = tf.minimum(tf.maximum(tf.round(image), 0), MAX_LEVEL)
        inputs = {f"{IMAGE}:0": tf.cast(image, frozen.dtype)}
        inputs |= {f"{name}:0": tf.constant(value) for name, value in switches(frozen.graph_def)}
        try:
            [scores] = tf.graph_util.import_graph_def(
                frozen.graph_def, input_map=inputs, return_elements=[frozen.scores], name="model"
            )
            session = tf.compat.v1.Session(graph=graph)
            outputs = session.run(scores, {batch: test_images()})
            outputs = outputs.reshape(len(test_images()), -1).astype(np.float32)
            scores = tf.reshape(tf.cast(scores, tf.float32), [-1, outputs.shape[1]])
            activation = missing_activation(outputs)
            if activation == "softmax":
                scores = tf.nn.softmax(scores)
            elif activation == "scale":
                scores /= tf.maximum(tf.reduce_sum(scores, axis=1, keepdims=True), MIN_SUM)
        except ModelError:
            raise
        except Exception as error:  # TensorFlow raises errors of any type for damaged graphs
            raise ModelError(f"the model cannot be run: {reason(error)}") from error
        return TensorFlowRuntime(session, batch, scores, frozen.labels)
