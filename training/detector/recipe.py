"""The numbers of the scenes; changing one makes the tiles anew."""

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
            "display": 18,
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
            "blank": 9,
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


SCENES = SceneRecipe()
