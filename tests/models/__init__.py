"""Makes SavedModels of every supported form from one classifier that NumPy can check.

The classifier is the nearest mean image, written as softmax(x @ kernel + bias), which reads clear
digits.
"""

import dataclasses
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mnist_cli.calibration import Calibration
from mnist_cli.loader import Model, load_model
from mnist_cli.runtimes import Runtime

ESTIMATORS = [
    Path(__file__).parent / f"estimator_{form}" for form in ("model_fn", "dnn_classifier")
]
KERAS_2_FILES = sorted(Path(__file__).parent.glob("keras_2_*"))


class Weights(NamedTuple):
    kernel: npt.NDArray[np.float32]  # [784, 10]
    bias: npt.NDArray[np.float32]  # [10]

    def probabilities(self, batch: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        logits = batch.astype(np.float64) @ self.kernel + self.bias
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def nearest_mean(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> Weights:
    """Fit the mean image of each digit; the logits are (2 x mean - |mean|^2) / 10."""
    ink = 1 - images.reshape(-1, 784) / 255
    means = np.stack([ink[labels == digit].mean(axis=0) for digit in range(10)])
    return Weights(
        (2 * means.T / 10).astype(np.float32), (-(means**2).sum(axis=1) / 10).astype(np.float32)
    )


def tensorflow_1(
    folder: Path,
    weights: Weights,
    *,
    resource_variables: bool = False,
    signature: bool = True,
    logits: bool = False,
    learning_phase: bool = False,
    extra_input: bool = False,
    shaped: bool = True,
    sigmoid: bool = False,
) -> Path:
    """A TensorFlow 1 graph with dropout, controlled by a float or by the learning phase."""
    import tensorflow as tf

    v1 = tf.compat.v1
    build_info = v1.saved_model.utils.build_tensor_info
    names = ("input_input", "output/Softmax") if learning_phase else ("input", "output")
    shape = [None, 784] if shaped else None
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as session:
        image = v1.placeholder(tf.float32, shape, names[0])
        kernel, bias = (
            v1.get_variable(name, initializer=value, use_resource=resource_variables)
            for name, value in weights._asdict().items()
        )
        if learning_phase:
            with tf.name_scope("dropout_1"):
                switch = v1.placeholder_with_default(False, [], "keras_learning_phase")
            hidden = v1.cond(switch, lambda: tf.nn.dropout(image, 0.5), lambda: image)
        else:
            switch = v1.placeholder(tf.float32, name="dropoutRate")
            hidden = tf.nn.dropout(image, rate=1 - switch)
        scores = hidden @ kernel + bias
        if extra_input:
            scores += v1.placeholder(tf.float32, [None, 10], "prior")
        activation = tf.identity if logits else tf.sigmoid if sigmoid else tf.nn.softmax
        output = activation(scores, name=names[1])
        session.run(v1.global_variables_initializer())
        inputs = {"input": build_info(image), "dropout": build_info(switch)}
        serving_default = v1.saved_model.build_signature_def(
            inputs, {"output": build_info(output)}, "tensorflow/serving/predict"
        )
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session,
            ["serve"],
            signature_def_map={"serving_default": serving_default} if signature else None,
        )
        builder.save()
    return folder


def tensorflow_1_with_other_shapes(folder: Path, weights: Weights) -> Path:
    """A TensorFlow 1 graph with a recorded shape that newer versions do not infer."""
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    file = tensorflow_1(folder, weights) / "saved_model.pb"
    model = SavedModel.FromString(file.read_bytes())
    for node in model.meta_graphs[0].graph_def.node:
        if node.op == "MatMul":
            node.attr["_output_shapes"].list.shape.add().dim.add().size = 7
    file.write_bytes(model.SerializeToString())
    return folder


def tensorflow_2(folder: Path, weights: Weights) -> Path:
    """A `tf.Module` with control flow, logits and dropout that a bool `training` controls."""
    import tensorflow as tf

    class Network(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.kernel, self.bias = tf.Variable(weights.kernel), tf.Variable(weights.bias)

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[
                tf.TensorSpec([None, 28, 28], tf.float32, "image"),
                tf.TensorSpec([], tf.bool, "training"),
            ]
        )
        def serve(self, image: Any, training: Any) -> Any:
            flat = tf.reshape(image, [-1, 784])
            hidden = tf.cond(training, lambda: tf.nn.dropout(flat, 0.5), lambda: flat)
            return {"scores": hidden @ self.kernel + self.bias}

    network = Network()
    tf.saved_model.save(network, str(folder), {"serving_default": network.serve})
    return folder


def keras_3(folder: Path, weights: Weights, *, shape: tuple[int, ...], softmax: bool) -> Path:
    """An export of Keras 3 with batch normalisation and dropout."""
    import keras

    return _export(
        folder,
        [
            keras.Input(shape),
            keras.layers.Flatten(),
            keras.layers.BatchNormalization(epsilon=0),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(
                10,
                activation="softmax" if softmax else None,
                kernel_initializer=lambda *_, **__: weights.kernel,
                bias_initializer=lambda *_, **__: weights.bias,
            ),
        ],
    )


def fake_model(runtime: Runtime, calibration: Calibration) -> Model:
    """A model that is not on disk."""
    shipped = load_model("t_ffnn")
    return dataclasses.replace(
        shipped, name="fake", statistics={}, runtime=runtime, calibration=calibration
    )


def five_inputs(folder: Path) -> Path:
    """An unsupported model with five inputs and three outputs."""
    import keras

    return _export(folder, [keras.Input((5,), name="x"), keras.layers.Dense(3)])


def _export(folder: Path, layers: list[Any]) -> Path:
    import keras

    keras.Sequential(layers).export(str(folder), verbose=False)
    return folder
