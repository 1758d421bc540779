"""Trains the family `t_*`."""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1

from training.augmented_dataset import AugmentedDataset, Targets
from training.data import Batch, Digits, as_input
from training.graph.inference import InferenceGraph, Weights, inputs
from training.graph.networks import NETWORKS, Network
from training.graph.optimizer import adamw
from training.recipes.models import Recipe
from training.runs import RunLog


def fit(
    name: str, recipe: Recipe, dataset: AugmentedDataset, validation: Digits, folder: Path
) -> None:
    """Train from the last checkpoint in the folder, or from scratch, and export a SavedModel."""
    network = NETWORKS[name]
    steps = dataset.steps_per_epoch(recipe)
    checkpoints = folder / "checkpoints"
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(recipe.seed)
        graph = TrainingGraph(network, recipe, recipe.epochs * steps)
        inference = InferenceGraph(network)
        validation_batch = as_input(validation.images)
        saver = v1.train.Saver(max_to_keep=1, save_relative_paths=True)
        session.run(v1.global_variables_initializer())
        if last := v1.train.latest_checkpoint(str(checkpoints)):
            saver.restore(session, last)
        epochs_done = graph.steps_done(session) // steps
        with RunLog(folder, recipe.epochs, steps, epochs_done) as log:
            for epoch in range(epochs_done, recipe.epochs):
                losses = []
                for images, targets in dataset.batches(epoch, recipe):
                    losses.append(graph.step(session, images, targets, recipe.keep_prob))
                    log.advance()
                inference.load(graph.ema_weights(session))
                right = inference.predict(validation_batch).argmax(1) == validation.labels
                log.end_epoch(float(np.mean(losses)), float(right.mean()))
                saver.save(session, str(checkpoints / "epoch"), global_step=epoch + 1)
        inference.load(graph.ema_weights(session))
    inference.save(folder / "export")


class TrainingGraph:
    """Network, loss, optimizer and averaged weights, in the default graph."""

    def __init__(self, network: Network, recipe: Recipe, steps: int) -> None:
        self._image, self._keep_prob = inputs()
        self._target = v1.placeholder(tf.float32, [None, 10], name="target")
        logits = network(self._image, self._keep_prob, True)
        self._loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(self._target, logits))
        variables = v1.global_variables()
        self._steps_done = v1.train.create_global_step()
        update = adamw(self._loss, self._steps_done, recipe, steps)
        # The statistics of batch norm are averaged like the weights.
        ema = tf.train.ExponentialMovingAverage(recipe.ema_decay, self._steps_done)
        with tf.control_dependencies([update]):
            self._train = ema.apply(variables)
        self._ema_weights = {variable.op.name: ema.average(variable) for variable in variables}

    def step(self, session: v1.Session, images: Batch, targets: Targets, keep_prob: float) -> float:
        """Train on one batch and return its loss."""
        feed = {self._image: images, self._target: targets, self._keep_prob: keep_prob}
        loss, _ = session.run([self._loss, self._train], feed)
        return float(loss)

    def steps_done(self, session: v1.Session) -> int:
        """Return the number of training steps so far."""
        return int(session.run(self._steps_done))

    def ema_weights(self, session: v1.Session) -> Weights:
        """Return the averaged weights by their names in the inference graph."""
        weights: Weights = session.run(self._ema_weights)
        return weights
