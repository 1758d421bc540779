"""AdamW with warm-up and cosine decay for the graph API, which lacks it."""

import tensorflow as tf
import tensorflow.compat.v1 as v1

from training.recipes.models import Recipe


def adamw(loss: tf.Tensor, step: tf.Variable, recipe: Recipe, steps: int) -> tf.Operation:
    """Return the operation of one training step, including the statistics of batch norm."""
    rate = _schedule(step, recipe, steps)
    adam = v1.train.AdamOptimizer(rate)
    gradients = adam.compute_gradients(loss)
    with tf.control_dependencies([gradient for gradient, _ in gradients]):
        decays = [
            variable.assign_sub(rate * recipe.weight_decay * variable)
            for variable in v1.trainable_variables()
            if variable.op.name.endswith("kernel")
        ]
    with tf.control_dependencies(decays + v1.get_collection(v1.GraphKeys.UPDATE_OPS)):
        return adam.apply_gradients(gradients, global_step=step)


def _schedule(step: tf.Tensor, recipe: Recipe, steps: int) -> tf.Tensor:
    """Rise linearly from zero to the highest rate, then fall to zero along a half cosine."""
    warmup_steps = int(recipe.warmup_fraction * steps)
    rising = tf.cast(step, tf.float32) / warmup_steps
    falling = v1.train.cosine_decay(1.0, tf.maximum(step - warmup_steps, 0), steps - warmup_steps)
    return recipe.learning_rate * tf.minimum(rising, falling)
