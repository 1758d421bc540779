"""Every number that was chosen for the detector."""

from dataclasses import dataclass, field

Layout = tuple[int, int]
"""Rows and columns of a tile."""


@dataclass(frozen=True)
class SceneRecipe:
    """What the training scenes show."""

    tile: int = 192
    """The side of a training picture in pixels."""
    digit_heights: tuple[float, float] = (8.0, 150.0)
    """The range that the detector is trained for, in pixels."""
    second_look_height: float = 36.0
    """The height that the second look scales digits to, in pixels."""
    second_look_spread: float = 0.25
    """Standard deviation of the logarithm of heights around it."""
    second_look_share: float = 0.4
    """Part of the scenes with such heights; the others are log-uniform over the whole range."""
    layouts: dict[Layout, float] = field(
        default_factory=lambda: {
            (1, 1): 0.22,
            (2, 1): 0.06,
            (3, 1): 0.15,
            (4, 1): 0.13,
            (5, 1): 0.06,
            (1, 2): 0.03,
            (2, 2): 0.13,
            (3, 2): 0.06,
            (3, 3): 0.09,
            (4, 4): 0.07,
        }
    )
    """How often a tile is divided into so many rows and columns; small scenes feed the classes."""
    full_share: float = 0.55
    """Scenes that fill their place; the others leave up to `trim` of each side blank."""
    trim: float = 0.35
    wide: float = 1.7
    """From this aspect ratio on, a place is a line."""
    kinds_of_lines: dict[str, float] = field(
        default_factory=lambda: {
            "lines": 16,
            "cheque": 14,
            "register": 3,
            "receipt": 13,
            "price": 7,
            "display": 15,
            "drums": 12,
            "plate": 4,
            "embossed": 6,
            "boxes": 5,
            "row": 9,
            "tubes": 1,
            "page": 5,
            "blank": 6,
        }
    )
    """Weights of the kinds in wide places."""
    kinds_of_pages: dict[str, float] = field(
        default_factory=lambda: {
            "lines": 14,
            "register": 9,
            "receipt": 6,
            "page": 9,
            "price": 4,
            "display": 9,
            "drums": 4,
            "plate": 14,
            "jersey": 9,
            "embossed": 4,
            "sudoku": 12,
            "boxes": 2,
            "row": 5,
            "single": 6,
            "pixelated": 2,
            "panel": 4,
            "tubes": 1,
            "blank": 14,
        }
    )
    """Weights of the kinds in places of about 96 pixels and more."""
    kinds_of_cells: dict[str, float] = field(
        default_factory=lambda: {
            "single": 58,
            "plate": 8,
            "jersey": 10,
            "display": 5,
            "register": 4,
            "price": 3,
            "pixelated": 5,
            "drums": 2,
            "embossed": 2,
            "blank": 5,
        }
    )
    """Weights of the kinds in smaller places."""
    smallest_page: int = 90
    """The shorter side of a place that is a page, in pixels."""
    smallest_box: float = 7.5
    """Digits that are lower, in pixels, are ignored."""
    faintest: float = 4.0
    """Digits are ignored in whose box the gray levels deviate less."""
    visible: float = 0.85
    """Part of a box inside the picture below which it is ignored."""
    max_boxes: int = 128


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

    steps: int = 22_000
    """About an hour of two cores that do nothing else."""
    batch_size: int = 16
    learning_rate: float = 2e-3
    """The highest rate, reached after the warm-up."""
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

    stride: int = 4
    """Pixels of a cell."""
    mask_stride: int = 2
    """Pixels of a cell of the foreground mask."""
    spread: float = 0.12
    """Standard deviation of the peak, as a fraction of the box."""
    smallest_spread: float = 0.55
    """The same in cells."""
    near: float = 0.3
    """Peak height from which a cell learns class and box."""
    contrast_floor: float = 12.0
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


SCENES = SceneRecipe()
POOL = PoolRecipe()
NETWORK = NetworkRecipe()
FIT = FitRecipe()
TARGETS = TargetRecipe()
DECODING = DecodeRecipe()
EVALUATION = EvaluationRecipe()
