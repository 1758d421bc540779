"""Trains the family `k_*`."""

from pathlib import Path

import keras
import tensorflow as tf

from training.augmented_dataset import AugmentedDataset
from training.data import Digits, as_input
from training.keras.export import save_model
from training.keras.networks import NETWORKS
from training.recipes.models import Recipe
from training.runs import RunLog


def fit(
    name: str, recipe: Recipe, dataset: AugmentedDataset, validation: Digits, folder: Path
) -> None:
    """Train from the checkpoint in the folder, or from scratch, and export a SavedModel."""
    steps = dataset.steps_per_epoch(recipe)
    checkpoint = folder / "checkpoint.keras"
    keras.utils.set_random_seed(recipe.seed)
    if checkpoint.exists():
        model = keras.models.load_model(checkpoint)
    else:
        model = NETWORKS[name](recipe.keep_prob)
        _compile(model, recipe, recipe.epochs * steps)
    validation_batch = as_input(validation.images)
    epochs_done = int(model.optimizer.iterations) // steps
    with RunLog(folder, recipe.epochs, steps, epochs_done) as log:
        advance = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: log.advance()
        )
        for epoch in range(epochs_done, recipe.epochs):
            history = model.fit(
                dataset.batches(epoch, recipe),
                steps_per_epoch=steps,
                shuffle=False,
                verbose=0,
                callbacks=[advance],
            )
            scores = model.predict(validation_batch, batch_size=500, verbose=0)
            right = scores.argmax(axis=1) == validation.labels
            log.end_epoch(history.history["loss"][0], float(right.mean()))
            # Written under another name first, so that the checkpoint is always complete.
            model.save(folder / "next.keras")
            (folder / "next.keras").replace(checkpoint)
    _export(model, folder / "export")


def _compile(model: keras.Model, recipe: Recipe, steps: int) -> None:
    """Compile with AdamW, linear warm-up and cosine decay to zero."""
    warmup_steps = int(recipe.warmup_fraction * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=warmup_steps,
        decay_steps=steps - warmup_steps,
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    # XLA would not use the convolutions of oneDNN.
    model.compile(optimizer, "categorical_crossentropy", jit_compile=False)


def _export(model: keras.Model, folder: Path) -> None:
    serve = tf.function(
        lambda image: {"output": model(image, training=False)},
        input_signature=[tf.TensorSpec([None, 784], tf.float32, name="input")],
    )
    save_model(model, serve, folder)
