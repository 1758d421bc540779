"""The numbers of the committee of teachers, and of the networks that it is compared with."""

from training.recipes.models import Recipe

DATASET_SEED = 2020
"""Not the seed of the models' data set: a student should not learn what its teachers memorized."""

TEACHERS = {
    "m3": Recipe(epochs=40, keep_prob=1.0, seed=1),
    "m5": Recipe(epochs=40, keep_prob=1.0, seed=2),
    "m7": Recipe(epochs=40, keep_prob=1.0, seed=3),
    "residual": Recipe(epochs=40, seed=4),
    "vgg": Recipe(epochs=40, seed=5),
}
"""By the name of the network. An epoch of 74,000 images takes 30 to 60 s on two cores."""

BASELINES = {f"k_cnn_{seed}": Recipe(epochs=40, seed=seed) for seed in (1998, 1999, 2000)}
"""`k_cnn`, trained for as long as the teachers, without averaged weights and without the last
10,000 images, 5,000 of which the shipped CNNs have learned."""

MAX_ERROR_RATIO = 0.85
"""Held-out errors of the committee / those of the mean logits of the baselines: at least 15 %
fewer."""
