"""Families of photographs with very small and very large digits."""

from benchmarks.robustness import scenes
from benchmarks.robustness.family import Family, Picture, Rng
from benchmarks.robustness.photographs import placed_handwriting
from benchmarks.robustness.scenes import Range
from training.data import Digits


def _photograph_family(name: str, height_px: float, space: Range, count_divisor: int) -> Family:
    """Return photographs of the same kind at a given height of the digit."""

    def draw(rng: Rng, digits: Digits) -> Picture:
        ink, label = placed_handwriting(rng, digits, (height_px, height_px), space)
        sheet = scenes.write_on_paper(ink, rng)
        sheet = sheet * scenes.light_gradient(ink.shape, rng, rng.uniform(0.5, 0.9))
        return Picture(scenes.photograph(sheet, rng, 0.015), label)

    return Family("scene", name, draw, count_divisor=count_divisor)


SIZES = [
    _photograph_family("10 px", 10, (0.5, 3), 1),
    _photograph_family("3,000 px", 3000, (0.1, 0.3), 30),
]
