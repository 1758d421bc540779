"""Where the digits of a split come from, and the choice of a style."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data import Digits, Images
from training.detector import backgrounds
from training.detector.backgrounds import Split
from training.detector.displays import DotMatrix, SevenSegments
from training.detector.glyphs import families, handwriting_families
from training.detector.styles import Handwriting, Pen, Style, Typeface
from training.fonts import Face
from training.synthetic.ink import log_uniform
from training.synthetic.strokes import DIGITS

MIXED = {
    "handwriting": 0.44,
    "pen": 0.1,
    "typeface": 0.34,
    "segments": 0.06,
    "dots": 0.03,
    "script": 0.03,
}
"""How often each style is taken where any fits."""
WRITTEN = {"handwriting": 0.72, "pen": 0.22, "script": 0.06}
PRINTED = {"typeface": 0.95, "dots": 0.05}


@dataclass(frozen=True)
class Sources:
    """Handwriting, fonts and photographs of a split; validation shares none with training."""

    digits: Sequence[Images]
    """MNIST images of each digit, uint8 [N, 28, 28], foreground 255."""
    families: Sequence[Sequence[Face]]
    scripts: Sequence[Sequence[Face]]
    """Families that imitate handwriting."""
    backgrounds: Sequence[Path]

    def face(self, rng: np.random.Generator, script: bool = False) -> Face:
        """Return a face of a family that is drawn first: large families are not seen more."""
        families = self.scripts if script else self.families
        family = families[int(rng.integers(len(families)))]
        return family[int(rng.integers(len(family)))]

    def style(self, rng: np.random.Generator, shares: dict[str, float] = MIXED) -> Style:
        """Return a hand, a typeface or a display."""
        kind = list(shares)[rng.choice(len(shares), p=list(shares.values()))]
        if kind == "handwriting":
            return self.handwriting(rng)
        if kind == "pen":
            return pen(rng)
        if kind == "segments":
            return seven_segments(rng)
        if kind == "dots":
            return dot_matrix(rng)
        return self.typeface(rng, kind == "script")

    def handwriting(self, rng: np.random.Generator) -> Handwriting:
        """Return a writer with one pen and one slant."""
        thin = rng.random() < 0.35
        return Handwriting(
            self.digits,
            slant=rng.uniform(-0.15, 0.4) if rng.random() < 0.6 else 0.0,
            width=rng.uniform(0.8, 1.25),
            threshold=rng.uniform(60, 175),
            sharpness=rng.uniform(1.5, 5),
            pen=log_uniform((0.03, 0.12), rng) if thin else None,
            crossed=rng.random() < 0.35,
        )

    def typeface(self, rng: np.random.Generator, script: bool = False) -> Typeface:
        """Return a font, sometimes slanted or stretched."""
        plain = rng.random() < 0.6
        slant = 0.0 if plain or rng.random() < 0.5 else rng.uniform(-0.15, 0.35)
        return Typeface(self.face(rng, script), slant, 1.0 if plain else rng.uniform(0.7, 1.3))


def pen(rng: np.random.Generator) -> Pen:
    """Return a hand that writes each digit in one of several forms."""
    return Pen(
        [forms[rng.integers(len(forms))] for forms in DIGITS],
        slant=rng.uniform(-0.15, 0.4),
        width=rng.uniform(0.75, 1.3),
        stroke=log_uniform((0.03, 0.2), rng),
        jitter=rng.uniform(0.01, 0.035),
    )


def seven_segments(rng: np.random.Generator) -> SevenSegments:
    """Return a display of seven segments."""
    wide = rng.random() < 0.4  # as on meters whose picture is squeezed
    return SevenSegments(
        aspect=rng.uniform(0.65, 1.2) if wide else rng.uniform(0.42, 0.68),
        thickness=rng.uniform(0.06, 0.22),
        gap=rng.uniform(-0.005, 0.03) if rng.random() < 0.7 else rng.uniform(0.03, 0.07),
        slant=rng.uniform(0, 0.35 if wide else 0.2) if rng.random() < 0.65 else 0.0,
        pointed=rng.random() < 0.6,
        open_tails=rng.random() < 0.15,
        hooked_seven=rng.random() < 0.15,
    )


def dot_matrix(rng: np.random.Generator) -> DotMatrix:
    """Return a display or printer of 5x7 dots."""
    slant = rng.uniform(0, 0.2) if rng.random() < 0.2 else 0.0
    return DotMatrix(rng.uniform(0.28, 0.62), rng.random() < 0.4, rng.uniform(0.75, 1.2), slant)


def open_sources(split: Split, digits: Digits) -> Sources:
    """Return the sources of a split.

    Args:
        split: which fonts and photographs.
        digits: the handwriting of the same split.

    Raises:
        OSError: fonts or backgrounds are missing.
    """
    return Sources(
        [digits.images[digits.labels == digit] for digit in range(10)],
        families(split),
        handwriting_families(split),
        backgrounds.files(split),
    )
