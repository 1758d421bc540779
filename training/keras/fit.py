"""Trains the family `k_*`."""

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from training.augmented_dataset import AugmentedDataset
from training.data import Digits, as_input
from training.keras.export import save_model
from training.keras.networks import NETWORKS
from training.recipes.models import Recipe
from training.runs import RunLog, complete_file


def fit(
    name: str, recipe: Recipe, dataset: AugmentedDataset, validation: Digits, folder: Path
) -> None:
    """Train from the checkpoint in the folder, or from scratch, and export a SavedModel."""
    model = train_network(NETWORKS[name], recipe, dataset, validation, folder, use_ema=True)
    _export(model, folder / "export")


def train_network(
    build: Callable[[float], keras.Model],
    recipe: Recipe,
    dataset: AugmentedDataset,
    validation: Digits,
    folder: Path,
    use_ema: bool = False,
) -> keras.Model:
    """Train from the checkpoint in the folder, or from scratch.

    Args:
        build: keep probability of dropout -> network.
        recipe: how it is trained.
        dataset: what it learns from.
        validation: images for the validation accuracy in the log.
        folder: of the checkpoint and the log.
        use_ema: whether the result has averaged weights instead of those after the last step; the
            validation accuracy is always that of the latter.
    """
    steps = dataset.steps_per_epoch(recipe)
    checkpoint = folder / "checkpoint.keras"
    keras.utils.set_random_seed(recipe.seed)
    model = build(recipe.keep_prob)
    _compile(model, recipe, recipe.epochs * steps, use_ema)
    if checkpoint.exists():
        # `load_model` would forget which variables have no weight decay.
        model.load_weights(checkpoint)
    validation_batch = as_input(validation.images)
    epochs_done = int(model.optimizer.iterations) // steps
    with RunLog(folder, recipe.epochs, steps, epochs_done) as log:
        for epoch in range(epochs_done, recipe.epochs):
            losses = []
            # `model.fit` would replace the weights by the averaged ones after each epoch.
            for images, targets in dataset.batches(epoch, recipe):
                losses.append(model.train_on_batch(images, targets))
                log.advance()
            scores = model.predict(validation_batch, batch_size=500, verbose=0)
            right = scores.argmax(axis=1) == validation.labels
            log.end_epoch(float(np.mean(losses)), float(right.mean()))
            with complete_file(checkpoint) as file:
                model.save(file)
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def _compile(model: keras.Model, recipe: Recipe, steps: int, use_ema: bool) -> None:
    """Compile with AdamW, linear warm-up and cosine decay to zero."""
    warmup_steps = int(recipe.warmup_fraction * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup_steps,
        decay_steps=steps - warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(
        rate, weight_decay=recipe.weight_decay, use_ema=use_ema, ema_momentum=recipe.ema_decay
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(model.trainable_variables)
    # XLA would not use the convolutions of oneDNN.
    model.compile(optimizer, "categorical_crossentropy", jit_compile=False)


def _export(model: keras.Model, folder: Path) -> None:
    serve = tf.function(
        lambda image: {"output": model(image, training=False)},
        input_signature=[tf.TensorSpec([None, 784], tf.float32, name="input")],
    )
    save_model(model, serve, folder)
