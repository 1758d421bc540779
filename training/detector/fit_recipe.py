"""The numbers of the tile pool, the network, its training and its evaluation."""

from dataclasses import dataclass

from mnist_cli.preprocessing.detector import CELL_PX, CONTRAST_FLOOR, MASK_PX


@dataclass(frozen=True)
class PoolRecipe:
    """The stored tiles; shard `n` depends only on the seed and `n`."""

    shards: int = 120
    """A tile takes 150 KB and 12 ms of one core."""
    shard_tiles: int = 1_000
    validation_tiles: int = 1_000
    seed: int = 2026


@dataclass(frozen=True)
class NetworkRecipe:
    """The network; widths in channels."""

    widths: tuple[int, ...] = (16, 32, 64, 96, 128)
    """At strides 2, 4, 8, 16 and 32."""
    blocks: tuple[int, ...] = (1, 2, 3, 1)
    """Residual blocks at strides 4, 8, 16 and 32."""
    head: int = 48
    mask_head: int = 24
    objectness_bias: float = -4.0
    """Logit at the start: about one cell in 55."""


@dataclass(frozen=True)
class FitRecipe:
    """The training: AdamW, warm-up and cosine decay."""

    steps: int = 40_000
    """Less than two hours of two cores that do nothing else."""
    batch_size: int = 16
    learning_rate: float = 2e-3
    """The highest rate, reached after the warm-up."""
    continued_learning_rate: float = 1e-3
    """The same if the training begins with the published weights."""
    warm_up: int = 400
    """Steps."""
    weight_decay: float = 2e-3
    clip_norm: float = 5.0
    ema_decay: float = 0.998
    """Of the exponential average of the weights, per step; shorter at the beginning."""
    checkpoint_steps: int = 500
    log_steps: int = 50
    negated_share: float = 0.25
    """Scenes that are shown as negatives."""
    gray_share: float = 0.3
    shuffled_share: float = 0.2
    """Scenes whose colour channels are permuted."""
    noisy_share: float = 0.2
    shift: int = 3
    """Pixels by which a tile is moved, so that boxes meet the cells in other places."""
    seed: int = 1


@dataclass(frozen=True)
class TargetRecipe:
    """How boxes become targets (X. Zhou, D. Wang, P. Krähenbühl, "Objects as Points", 2019)."""

    stride: int = CELL_PX
    """Pixels of a cell."""
    mask_stride: int = MASK_PX
    """Pixels of a cell of the foreground mask."""
    spread: float = 0.12
    """Standard deviation of the peak, as a fraction of the box."""
    smallest_spread: float = 0.55
    """The same in cells."""
    near: float = 0.3
    """Peak height from which a cell learns class and box."""
    contrast_floor: float = CONTRAST_FLOOR
    """Added to the standard deviation of a picture before dividing by it, in gray levels."""


@dataclass(frozen=True)
class DecodeRecipe:
    """How peaks become digits; chosen on the validation tiles."""

    threshold: float = 0.4
    """Objectness of a digit."""


@dataclass(frozen=True)
class EvaluationRecipe:
    """How found and wanted boxes are matched."""

    min_iou: float = 0.4
    ignored_part: float = 0.5
    """Part of a detection on an ignored box from which it does not count."""
    growth_tiles: int = 300
    """Validation tiles that every snapshot is evaluated on."""
    growth_steps: int = 1_000
    """Between these snapshots."""
    thresholds: tuple[float, ...] = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)


POOL = PoolRecipe()
NETWORK = NetworkRecipe()
FIT = FitRecipe()
TARGETS = TargetRecipe()
DECODING = DecodeRecipe()
EVALUATION = EvaluationRecipe()
