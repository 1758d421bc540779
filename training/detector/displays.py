"""Digits of segments and dots: LCD, LED and dot-matrix displays."""

from dataclasses import dataclass

import cv2
import numpy as np

from training.detector.canvas import Alpha
from training.detector.styles import transform

SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcdfg")
"""The lit segments of each digit."""
ENDS = {
    "a": ((0, 0), (1, 0)),
    "b": ((1, 0), (1, 1)),
    "c": ((1, 1), (1, 2)),
    "d": ((0, 2), (1, 2)),
    "e": ((0, 1), (0, 2)),
    "f": ((0, 0), (0, 1)),
    "g": ((0, 1), (1, 1)),
}
"""Where each segment lies: (column, row) of its ends, in half heights."""
DOTS = (
    *("01110 10001 10011 10101 11001 10001 01110", "00100 01100 00100 00100 00100 00100 01110"),
    *("01110 10001 00001 00010 00100 01000 11111", "11111 00010 00100 00010 00001 10001 01110"),
    *("00010 00110 01010 10010 11111 00010 00010", "11111 10000 11110 00001 00001 10001 01110"),
    *("00110 01000 10000 11110 10001 10001 01110", "11111 00001 00010 00100 01000 01000 01000"),
    *("01110 10001 10001 01110 10001 10001 01110", "01110 10001 10001 01111 00001 00010 01100"),
)
"""Rows of the 5x7 character of each digit."""
WORKING_HEIGHT = 72  # pixels
DOT_PITCH = 12  # working pixels


@dataclass(frozen=True)
class SevenSegments:
    """A display of seven segments; lengths are fractions of the height."""

    aspect: float
    thickness: float
    gap: float
    slant: float
    pointed: bool
    open_tails: bool
    """6 without its top segment and 9 without its bottom segment."""
    hooked_seven: bool

    def make(self, digit: int, height: float, rng: np.random.Generator) -> Alpha:
        return self.segments(self.lit(digit), height)

    def lit(self, digit: int) -> str:
        """Return the lit segments of a digit."""
        if self.open_tails and digit in (6, 9):
            return "cdefg" if digit == 6 else "abcfg"
        return "abcf" if digit == 7 and self.hooked_seven else SEGMENTS[digit]

    def segments(self, lit: str, height: float) -> Alpha:
        """Return the ink of segments, cropped."""
        return self._scaled(self._drawn(lit), height)

    def placed(self, digit: int, height: float) -> tuple[Alpha, Alpha, float, float]:
        """Return lit ink and unlit ink, both uncropped, the width of a full 8 and the margin."""
        lit = self.lit(digit)
        unlit = "".join(s for s in ENDS if s not in lit)
        scale = height / WORKING_HEIGHT
        slant = self.slant
        inks = [_sheared(self._drawn(part), scale, slant) for part in (lit, unlit)]
        return inks[0], inks[1], self.aspect * height, self._margin * scale

    @property
    def _margin(self) -> int:
        return int(self.thickness * WORKING_HEIGHT) + 3

    def _scaled(self, ink: Alpha, height: float) -> Alpha:
        scale = height / WORKING_HEIGHT
        return transform(ink, scale, scale, self.slant)

    def _drawn(self, lit: str) -> Alpha:
        margin, half = self._margin, self.thickness * WORKING_HEIGHT / 2
        wide = self.aspect * WORKING_HEIGHT
        ink = np.zeros((WORKING_HEIGHT + 2 * margin, round(wide) + 2 * margin), np.uint8)
        steps = np.array([wide - 2 * half, WORKING_HEIGHT / 2 - half])
        for name in lit:
            a, b = (np.array(end) * steps + half + margin for end in ENDS[name])
            along = (b - a) / np.linalg.norm(b - a)
            across = np.array([-along[1], along[0]]) * half
            a, b = a + along * self.gap * WORKING_HEIGHT, b - along * self.gap * WORKING_HEIGHT
            if self.pointed:
                tip = along * half * 0.7
                corners = [a + across + tip, a, a - across + tip, b - across - tip, b]
                corners.append(b + across - tip)
            else:
                corners = [a + across, a - across, b - across, b + across]
            points = (np.array(corners) * 16).astype(np.int32)
            cv2.fillConvexPoly(ink, points, 255, cv2.LINE_AA, 4)
        return ink


@dataclass(frozen=True)
class DotMatrix:
    """Characters of 5x7 dots."""

    radius: float
    """Of a dot, as a fraction of the pitch."""
    square: bool
    width: float
    slant: float

    def make(self, digit: int, height: float, rng: np.random.Generator) -> Alpha:
        ink = np.zeros((7 * DOT_PITCH, 5 * DOT_PITCH), np.uint8)
        for row, bits in enumerate(DOTS[digit].split()):
            for column, bit in enumerate(bits):
                x, y = (DOT_PITCH * v + DOT_PITCH // 2 for v in (column, row))
                reach = round(DOT_PITCH * self.radius)
                if bit == "1" and self.square:
                    cv2.rectangle(ink, (x - reach, y - reach), (x + reach, y + reach), 255, -1)
                elif bit == "1":
                    cv2.circle(ink, (x, y), reach, 255, -1, cv2.LINE_AA)
        scale = height / (7 * DOT_PITCH)
        return transform(ink, scale, scale * self.width, self.slant)


def _sheared(ink: Alpha, scale: float, slant: float) -> Alpha:
    """Scale and shear without cropping, so that all segments of a digit stay together."""
    height, width = len(ink) * scale, ink.shape[1] * scale
    matrix = np.array([[scale, -slant * scale, slant * height], [0, scale, 0]])
    size = (max(1, round(width + slant * height)), max(1, round(height)))
    if scale < 0.6:
        small = cv2.resize(ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix = np.array([[1, -slant, slant * height], [0, 1, 0]])
        return np.asarray(cv2.warpAffine(small, matrix, size), np.uint8)
    return np.asarray(cv2.warpAffine(ink, matrix, size), np.uint8)
