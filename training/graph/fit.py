"""The training of the family `t_*`."""

from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1

from mnist_cli.evaluation import as_input
from training.augmented_dataset import Pool, Targets
from training.data import Batch, Digits
from training.graph.inference import InferenceGraph, Weights, inputs
from training.graph.networks import NETWORKS, Network
from training.graph.optimizer import adamw
from training.recipes import Recipe
from training.runs import RunLog


def fit(name: str, recipe: Recipe, pool: Pool, validation: Digits, folder: Path) -> None:
    """Train, from the last checkpoint in the folder if there is one, and export a SavedModel."""
    network = NETWORKS[name]
    steps = pool.steps(recipe)
    checkpoints = folder / "checkpoints"
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(recipe.seed)
        graph = TrainingGraph(network, recipe, recipe.epochs * steps)
        inference = InferenceGraph(network)
        held_out = as_input(validation.images)
        saver = v1.train.Saver(max_to_keep=1, save_relative_paths=True)
        session.run(v1.global_variables_initializer())
        if last := v1.train.latest_checkpoint(str(checkpoints)):
            saver.restore(session, last)
        done = graph.steps_done(session) // steps
        with RunLog(folder, recipe.epochs, steps, done) as log:
            for epoch in range(done, recipe.epochs):
                losses = []
                for images, targets in pool.epoch(epoch, recipe):
                    losses.append(graph.step(session, images, targets, recipe.keep))
                    log.advance()
                inference.load(graph.averages(session))
                right = inference.predict(held_out).argmax(1) == validation.labels
                log.epoch(float(np.mean(losses)), float(right.mean()))
                saver.save(session, str(checkpoints / "epoch"), global_step=epoch + 1)
        inference.load(graph.averages(session))
    inference.save(folder / "export")


class TrainingGraph:
    """The network with loss, optimizer and averaged weights, in the default graph."""

    def __init__(self, network: Network, recipe: Recipe, steps: int) -> None:
        self._image, self._keep = inputs()
        self._target = v1.placeholder(tf.float32, [None, 10], name="target")
        logits = network(self._image, self._keep, True)
        self._loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(self._target, logits))
        variables = v1.global_variables()
        self._steps_done = v1.train.create_global_step()
        update = adamw(self._loss, self._steps_done, recipe, steps)
        # The moving averages of batch norm are averaged with the weights they belong to.
        average = tf.train.ExponentialMovingAverage(recipe.averaging, self._steps_done)
        with tf.control_dependencies([update]):
            self._train = average.apply(variables)
        self._averages = {variable.op.name: average.average(variable) for variable in variables}

    def step(self, session: v1.Session, images: Batch, targets: Targets, keep: float) -> float:
        """Train on one batch and return its loss."""
        feed = {self._image: images, self._target: targets, self._keep: keep}
        loss, _ = session.run([self._loss, self._train], feed)
        return float(loss)

    def steps_done(self, session: v1.Session) -> int:
        """Return the number of batches it was trained on."""
        return int(session.run(self._steps_done))

    def averages(self, session: v1.Session) -> Weights:
        """Return the averaged weights by the names they have in the inference graph."""
        weights: Weights = session.run(self._averages)
        return weights
