"""Training scenes: one function for each kind of picture, and tiles packed with several."""

from collections.abc import Callable

import numpy as np

from training.detector.canvas import Canvas
from training.detector.scenes import blank, displays, outdoors, printed, single, tables, written
from training.detector.sources import Sources

Scene = Callable[[np.random.Generator, Sources, int, int], Canvas]
"""Draws a scene of a given height and width in pixels."""

KINDS: dict[str, Scene] = {
    "lines": written.lines,
    "cheque": written.cheque,
    "register": written.register,
    "receipt": printed.receipt,
    "price": printed.price,
    "page": printed.page,
    "display": displays.display,
    "tubes": displays.tubes,
    "drums": displays.drums,
    "plate": outdoors.plate,
    "jersey": outdoors.jersey,
    "embossed": outdoors.embossed,
    "sudoku": tables.sudoku,
    "boxes": tables.boxes,
    "row": tables.row,
    "single": single.single,
    "pixelated": single.pixelated,
    "panel": single.panel,
    "blank": blank.blank,
}
