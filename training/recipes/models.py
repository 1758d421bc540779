"""The numbers of the training and calibration of each model, chosen on validation images."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: AdamW with linear warm-up and cosine decay."""

    epochs: int
    batch_size: int = 128
    learning_rate: float = 2e-3
    """The highest rate, reached after the warm-up."""
    warmup_fraction: float = 0.1
    """Fraction of the steps in which the rate rises from zero."""
    weight_decay: float = 0.05
    """Decoupled from the gradient (Loshchilov and Hutter 2019), on kernels only."""
    keep_prob: float = 0.8
    """Probability that dropout keeps a unit."""
    ema_decay: float = 0.998
    """Decay per step of the exponential moving average of the weights."""
    seed: int = 1998


@dataclass(frozen=True)
class CalibrationRecipe:
    """How a model is calibrated."""

    coverage: float = 0.99
    """Fraction of the MNIST validation images whose predictions must not be uncertain."""
    temperatures: tuple[float, float, int] = (0.5, 3.0, 200)
    """Lowest, highest and number of the candidates, in geometric progression."""
    synthetic_images: int = 5_000
    """Synthetic images, made of validation images."""
    seed: int = 1999
    """Not the seed of the data set, whose synthetic images the model has seen."""


@dataclass(frozen=True)
class CompilationRecipe:
    """How much 8-bit weights may change a model, on the 5,000 MNIST validation images."""

    max_changed: int = 2
    """Predictions that differ from those of the SavedModel."""
    max_lost: int = 1
    """Images that the SavedModel reads rightly more than the compiled model."""


CALIBRATION = CalibrationRecipe()
COMPILATION = CompilationRecipe()
FFNN = Recipe(epochs=60, batch_size=256, learning_rate=3e-3, keep_prob=1.0)
CNN = Recipe(epochs=60)
WIDE_CNN = Recipe(epochs=40)
RECIPES = {
    "t_cnn": WIDE_CNN,
    "t_ffnn": FFNN,
    "e_cnn": WIDE_CNN,
    "e_ffnn": FFNN,
    "k_cnn": CNN,
    "k_ffnn": FFNN,
}
REPEAT_SEEDS = (1999, 2000)
"""The published model has the seed of its recipe, whatever the others reach."""


def repeated_runs(name: str) -> list[str]:
    """Return the names of the runs of a model with other seeds."""
    return [f"{name}-{seed}" for seed in REPEAT_SEEDS]


def run_recipe(run: str) -> Recipe:
    """Return the recipe of a run, which has the name of the model or is one of its repeats."""
    name, _, seed = run.partition("-")
    return replace(RECIPES[name], seed=int(seed)) if seed else RECIPES[name]
