"""The training of the family `t_*`."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1

from training.augment import distort
from training.data import Batch, Digits, Labels, as_input
from training.graph.inference import InferenceGraph, Weights, inputs
from training.graph.networks import Network
from training.recipes import Recipe
from training.runs import RunLog


def fit(
    network: Network, recipe: Recipe, training: Digits, validation: Digits, log: RunLog
) -> Weights:
    """Train and return the averaged weights; loss and validation accuracy go to the log."""
    steps = recipe.epochs * recipe.steps_per_epoch(len(training.images))
    with tf.Graph().as_default():
        v1.set_random_seed(recipe.seed)
        graph = TrainingGraph(network, recipe, steps)
        inference = InferenceGraph(network)
        rng = np.random.default_rng(recipe.seed)
        held_out = as_input(validation.images)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for _ in range(recipe.epochs):
                losses = []
                for images, labels in _batches(training, recipe, rng):
                    losses.append(graph.step(session, images, labels, recipe.keep))
                    log.advance()
                weights = graph.averages(session)
                inference.load(weights)
                right = inference.predict(held_out).argmax(1) == validation.labels
                log.epoch(float(np.mean(losses)), float(right.mean()))
    return weights


class TrainingGraph:
    """The network with loss, AdamW, cosine schedule and averaged weights, in the default graph."""

    def __init__(self, network: Network, recipe: Recipe, steps: int) -> None:
        self._image, self._keep = inputs()
        self._label = v1.placeholder(tf.int64, [None], name="label")
        logits = network(self._image, self._keep, True)
        self._loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(self._label, logits)
        )
        variables = v1.global_variables()
        step = v1.train.create_global_step()
        rate = _schedule(step, recipe, steps)

        adam = v1.train.AdamOptimizer(rate)
        gradients = adam.compute_gradients(self._loss)
        with tf.control_dependencies([gradient for gradient, _ in gradients]):
            decays = [
                variable.assign_sub(rate * recipe.weight_decay * variable)
                for variable in v1.trainable_variables()
                if variable.op.name.endswith("kernel")
            ]
        with tf.control_dependencies(decays + v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
            update = adam.apply_gradients(gradients, global_step=step)

        # The moving averages of batch norm are averaged with the weights they belong to.
        average = tf.train.ExponentialMovingAverage(recipe.averaging, num_updates=step)
        with tf.control_dependencies([update]):
            self._train = average.apply(variables)
        self._averages = {variable.op.name: average.average(variable) for variable in variables}

    def step(self, session: v1.Session, images: Batch, labels: Labels, keep: float) -> float:
        """Train on one batch and return its loss."""
        feed = {self._image: images, self._label: labels, self._keep: keep}
        loss, _ = session.run([self._loss, self._train], feed)
        return float(loss)

    def averages(self, session: v1.Session) -> Weights:
        """Return the averaged weights by the names they have in the inference graph."""
        weights: Weights = session.run(self._averages)
        return weights


def _schedule(step: tf.Tensor, recipe: Recipe, steps: int) -> tf.Tensor:
    """Linear from zero to the highest rate, then half a cosine down to zero."""
    warm_up = int(recipe.warm_up * steps)
    rising = tf.cast(step, tf.float32) / warm_up
    falling = v1.train.cosine_decay(1.0, tf.maximum(step - warm_up, 0), steps - warm_up)
    return recipe.learning_rate * tf.minimum(rising, falling)


def _batches(
    training: Digits, recipe: Recipe, rng: np.random.Generator
) -> Iterator[tuple[Batch, Labels]]:
    """Yield one epoch: every image once, in random order, distorted."""
    order = rng.permutation(len(training.images))
    for index in range(recipe.steps_per_epoch(len(order))):
        chosen = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
        images = distort(training.images[chosen], recipe.augmentation, rng)
        yield as_input(images), training.labels[chosen]
