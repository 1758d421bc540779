"""Trains the family `e_*`, in the environment of `requirements-estimator.txt`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1

from training.augmented_dataset import AugmentedDataset
from training.data import Digits, as_input
from training.estimator.networks import NETWORKS
from training.graph.optimizer import adamw
from training.recipes.models import Recipe
from training.runs import RunLog

INPUT = "inputKey"


def fit(
    name: str, recipe: Recipe, dataset: AugmentedDataset, validation: Digits, folder: Path
) -> None:
    """Train from the last checkpoint in the folder, or from scratch, and export a SavedModel."""
    steps = dataset.steps_per_epoch(recipe)
    estimator = tf.estimator.Estimator(
        model_fn,
        config=tf.estimator.RunConfig(
            model_dir=str(folder / "checkpoints"),
            tf_random_seed=recipe.seed,
            save_checkpoints_steps=steps,
            keep_checkpoint_max=1,
            save_summary_steps=None,
            log_step_count_steps=None,
        ),
        params={"network": NETWORKS[name], "recipe": recipe, "steps": recipe.epochs * steps},
    )
    validation_batch = v1.estimator.inputs.numpy_input_fn(
        {INPUT: as_input(validation.images)},
        np.eye(10, dtype=np.float32)[validation.labels],
        batch_size=500,
        shuffle=False,
    )
    epochs_done = 0
    if estimator.latest_checkpoint():
        epochs_done = int(estimator.get_variable_value("global_step")) // steps
    with RunLog(folder, recipe.epochs, steps, epochs_done) as log:
        for epoch in range(epochs_done, recipe.epochs):
            progress = ProgressHook(log)
            estimator.train(lambda epoch=epoch: _batches(dataset, epoch, recipe), hooks=[progress])
            metrics = estimator.evaluate(validation_batch)
            log.end_epoch(float(np.mean(progress.losses)), float(metrics["accuracy"]))
    exported = estimator.export_saved_model(str(folder), _serving_input_receiver)
    Path(exported.decode()).rename(folder / "export")


def model_fn(
    features: Mapping[str, tf.Tensor],
    labels: tf.Tensor | None,
    mode: str,
    params: Mapping[str, Any],
) -> tf.estimator.EstimatorSpec:
    """Build the graph for one of the three modes; labels are probabilities, float32 [N, 10].

    Only the training uses the latest weights: the others use their moving averages, which include
    the statistics of batch norm.
    """
    recipe: Recipe = params["recipe"]
    training = mode == tf.estimator.ModeKeys.TRAIN
    logits = params["network"](features[INPUT], recipe.keep_prob, training)
    weights = [one for one in v1.global_variables() if one is not v1.train.get_global_step()]
    ema = tf.train.ExponentialMovingAverage(recipe.ema_decay, v1.train.get_global_step())
    predictions = {"output": tf.nn.softmax(logits, name="output")}
    averaged = v1.train.Scaffold(saver=v1.train.Saver(ema.variables_to_restore(weights)))
    if mode == tf.estimator.ModeKeys.PREDICT:
        exported = {"serving_default": tf.estimator.export.PredictOutput(predictions)}
        return tf.estimator.EstimatorSpec(
            mode, predictions, export_outputs=exported, scaffold=averaged
        )
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels, logits), name="loss")
    if training:
        update = adamw(loss, v1.train.get_global_step(), recipe, params["steps"])
        with tf.control_dependencies([update]):
            train = ema.apply(weights)
        return tf.estimator.EstimatorSpec(mode, predictions, loss, train)
    accuracy = v1.metrics.accuracy(tf.argmax(labels, axis=1), tf.argmax(logits, axis=1))
    return tf.estimator.EstimatorSpec(
        mode, predictions, loss, eval_metric_ops={"accuracy": accuracy}, scaffold=averaged
    )


class ProgressHook(tf.estimator.SessionRunHook):  # type: ignore[misc]
    """Shows progress and collects the loss of each step."""

    def __init__(self, log: RunLog) -> None:
        self.losses: list[float] = []
        self._log = log

    def before_run(self, run_context: Any) -> v1.train.SessionRunArgs:
        """Request the loss of this step."""
        return v1.train.SessionRunArgs("loss:0")

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Store the loss."""
        self.losses.append(run_values.results)
        self._log.advance()


def _batches(dataset: AugmentedDataset, epoch: int, recipe: Recipe) -> tf.data.Dataset:
    def batches() -> Any:
        for images, targets in dataset.batches(epoch, recipe):
            yield {INPUT: images}, targets

    image = tf.TensorSpec([None, 784], tf.float32)
    signature = ({INPUT: image}, tf.TensorSpec([None, 10], tf.float32))
    return tf.data.Dataset.from_generator(batches, output_signature=signature).prefetch(2)


def _serving_input_receiver() -> tf.estimator.export.ServingInputReceiver:
    image = v1.placeholder(tf.float32, [None, 784], name="input")
    return tf.estimator.export.ServingInputReceiver({INPUT: image}, {INPUT: image})
