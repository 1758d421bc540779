"""The training of the detector."""

import csv
import json
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from mnist_cli.arrays import Floats
from training.detector import dataset
from training.detector.batches import Batch, ahead, batches
from training.detector.fit_recipe import FIT, NETWORK, POOL, TARGETS
from training.detector.losses import NAMES, losses
from training.detector.network import build
from training.runs import RUNS, SAVED_MODELS, read_log

FOLDER = RUNS / "detector"
SNAPSHOTS = FOLDER / "snapshots"
"""Averaged weights at every checkpoint, for the growth curve."""
PUBLISHED = SAVED_MODELS / "preprocessing" / "detector"
COLUMNS = ("step", "seconds", "rate", *NAMES)


class Trainer:
    """Network, optimizer and the moving average of the weights."""

    def __init__(self, steps: int, from_published: bool) -> None:
        """Build everything; the learning rate falls to zero after so many steps."""
        keras.utils.set_random_seed(FIT.seed)
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        self.model = build()
        self.highest_rate = FIT.learning_rate
        if from_published:
            self.model.set_weights(published_weights())
            self.highest_rate = FIT.continued_learning_rate
        self.steps = steps
        self.step = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.optimizer = keras.optimizers.AdamW(
            self.highest_rate, weight_decay=FIT.weight_decay, global_clipnorm=FIT.clip_norm
        )
        self.optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
        self.optimizer.build(self.model.trainable_variables)
        self.average = [tf.Variable(w.value, trainable=False) for w in self.model.weights]
        self.checkpoint = tf.train.Checkpoint(
            step=self.step,
            weights=[w.value for w in self.model.weights],
            optimizer=[v.value for v in self.optimizer.variables],
            average=self.average,
        )
        self.manager = tf.train.CheckpointManager(self.checkpoint, FOLDER / "checkpoints", 2)
        if self.manager.latest_checkpoint:
            self.checkpoint.restore(self.manager.latest_checkpoint).assert_consumed()

    def rate_at(self, step: int) -> float:
        """Return the learning rate: linear to the highest, then half a cosine to zero."""
        if step < FIT.warm_up:
            return self.highest_rate * (step + 1) / FIT.warm_up
        done = (step - FIT.warm_up) / max(1, self.steps - FIT.warm_up)
        return float(self.highest_rate * (0.5 + 0.5 * np.cos(np.pi * min(1.0, done))))

    def train(self, batch: Batch) -> tf.Tensor:
        """Take one step and return the losses, float32 [4]."""
        step = int(self.step)
        self.optimizer.learning_rate.assign(self.rate_at(step))
        decay = min(FIT.ema_decay, (1 + step) / (10 + step))
        return self._train({k: tf.constant(v) for k, v in batch.items()}, tf.constant(decay))

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def _train(self, batch: dict[str, tf.Tensor], decay: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            cells, mask = self.model(batch["pictures"], training=True)
            parts = losses(tf.cast(cells, tf.float32), tf.cast(mask, tf.float32), batch)
            total = tf.add_n(parts)
        variables = self.model.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(total, variables), variables, strict=True))
        for average, weight in zip(self.average, self.model.weights, strict=True):
            average.assign(decay * average + (1 - decay) * tf.cast(weight.value, tf.float32))
        self.step.assign_add(1)
        return tf.stack(parts)

    def save(self) -> None:
        """Write a checkpoint and the averaged weights."""
        self.manager.save()
        SNAPSHOTS.mkdir(exist_ok=True)
        file = SNAPSHOTS / f"{int(self.step):06d}.npz"
        np.savez(file, *(average.numpy() for average in self.average))


def fit(steps: int = FIT.steps, from_published: bool = False) -> None:
    """Train to a number of steps, from the last checkpoint if there is one.

    Another number of steps than before changes the rate from the next step on.

    Args:
        steps: the number of the last step.
        from_published: begin with the published weights instead of random ones.
    """
    _write_recipe(steps)
    trainer = Trainer(steps, from_published)
    first = int(trainer.step)
    log, seconds = _open_log(first)
    started, sums = time.monotonic() - seconds, []
    made = batches(lambda: dataset.shards("training"), POOL.shard_tiles, first, steps)
    for step, batch in enumerate(ahead(made), first + 1):
        sums.append(trainer.train(batch))
        if step % FIT.log_steps == 0:
            means = np.mean([values.numpy() for values in sums], axis=0)
            sums, elapsed = [], time.monotonic() - started
            if not np.isfinite(means).all():
                raise FloatingPointError(f"the losses are not finite before step {step}: {means}")
            row = [step, f"{elapsed:.0f}", f"{trainer.rate_at(step):.2e}"]
            _append(log, [*row, *(f"{value:.4f}" for value in means)])
        if step % FIT.checkpoint_steps == 0 or step == steps:
            trainer.save()


def load_network(snapshot: Path | None = None) -> keras.Model:
    """Return the network in float32 with averaged weights, by default the newest.

    Raises:
        OSError: nothing was trained yet.
    """
    snapshots = sorted(SNAPSHOTS.glob("*.npz"))
    if not (snapshot or snapshots):
        raise OSError("no weights: train them with `python -m training.detector fit`")
    keras.mixed_precision.set_global_policy("float32")
    model = build()
    with np.load(snapshot or snapshots[-1]) as arrays:
        model.set_weights([arrays[name] for name in arrays.files])
    return model


def published_weights() -> list[Floats]:
    """Return the weights of the published network, in the order of `keras.Model.weights`."""
    variables = tf.train.load_checkpoint(PUBLISHED / "variables" / "variables")
    count = sum(name.startswith("weights/") for name in variables.get_variable_to_shape_map())
    return [
        variables.get_tensor(f"weights/{index}/.ATTRIBUTES/VARIABLE_VALUE")
        for index in range(count)
    ]


def _write_recipe(steps: int) -> None:
    """Record what is trained: a checkpoint of another network or target cannot be resumed."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    note = FOLDER / "recipe.json"
    fixed = {"network": repr(NETWORK), "targets": repr(TARGETS)}
    if note.exists() and (FOLDER / "checkpoints").exists():
        before = json.loads(note.read_text())
        if {key: before.get(key) for key in fixed} != fixed:
            raise OSError(f"{FOLDER}: trained with another recipe; move its checkpoints away")
    note.write_text(json.dumps({**fixed, "fit": repr(FIT), "steps": steps}, indent=1))


def _open_log(first: int) -> tuple[Path, float]:
    """Return the log and the seconds spent so far; rows after the checkpoint are dropped."""
    file, rows = FOLDER / "log.csv", []
    if file.exists():
        rows = [row for row in read_log(file) if int(row["step"]) <= first]
    with file.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    return file, float(rows[-1]["seconds"]) if rows else 0.0


def _append(log: Path, row: list[object]) -> None:
    with log.open("a", newline="") as lines:
        csv.writer(lines).writerow(row)
