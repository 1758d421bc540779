"""What surrounds the ink of a digit: shadow, border, glow and relief."""

from collections.abc import Callable

import cv2
import numpy as np

from training.detector.canvas import Alpha, Canvas, Colour
from training.detector.colours import BLACK, WHITE, ink_colour

Effect = Callable[[Canvas, Alpha, float, float], None]
"""Draws below the ink of a digit whose top left corner is (x, y)."""


def shadow(rng: np.random.Generator, height: float) -> Effect:
    """Return a soft shadow, sometimes a light edge."""
    dx, dy = rng.uniform(-0.06, 0.06) * height, rng.uniform(0, 0.08) * height
    colour, opacity = (BLACK if rng.random() < 0.75 else WHITE), rng.uniform(0.2, 0.7)
    blur = rng.uniform(0.4, 2)
    margin = 5

    def draw(canvas: Canvas, ink: Alpha, x: float, y: float) -> None:
        soft = cv2.GaussianBlur(np.pad(ink, margin), (0, 0), blur)
        canvas.blend(np.asarray(soft), x + dx - margin, y + dy - margin, colour, opacity)

    return draw


def border(rng: np.random.Generator, height: float, colour: Colour) -> Effect:
    """Return a border of another colour, as on jerseys and signs."""
    reach = max(1, round(height * rng.uniform(0.02, 0.09)))
    edge = ink_colour(rng, colour, 50)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))

    def draw(canvas: Canvas, ink: Alpha, x: float, y: float) -> None:
        wide = cv2.dilate(np.pad(ink, reach), disc)
        canvas.blend(np.asarray(wide), x - reach, y - reach, edge)

    return draw


def glow(rng: np.random.Generator, height: float, colour: Colour) -> Effect:
    """Return the light around lit segments and tubes."""
    blur, opacity = height * rng.uniform(0.03, 0.1) + 1, rng.uniform(0.3, 0.8)
    margin = int(2 * blur) + 1

    def draw(canvas: Canvas, ink: Alpha, x: float, y: float) -> None:
        soft = cv2.GaussianBlur(np.pad(ink, margin), (0, 0), blur)
        canvas.blend(np.asarray(soft), x - margin, y - margin, colour, opacity)

    return draw


def relief(rng: np.random.Generator, height: float, ground: Colour) -> Effect:
    """Return a light and a dark edge on opposite sides: embossed or engraved."""
    reach, angle = max(0.7, height * rng.uniform(0.012, 0.045)), rng.uniform(0, 2 * np.pi)
    dx, dy = reach * np.cos(angle), reach * np.sin(angle)
    light = np.clip(ground + rng.uniform(25, 110), 0, 255)
    dark = np.clip(ground - rng.uniform(25, 110), 0, 255)
    opacity, blur = rng.uniform(0.5, 1), rng.uniform(0.3, 0.03 * height + 0.4)
    margin = 4

    def draw(canvas: Canvas, ink: Alpha, x: float, y: float) -> None:
        soft = np.asarray(cv2.GaussianBlur(np.pad(ink, margin), (0, 0), blur))
        canvas.blend(soft, x - dx - margin, y - dy - margin, light, opacity)
        canvas.blend(soft, x + dx - margin, y + dy - margin, dark, opacity)

    return draw


def no_effect(canvas: Canvas, ink: Alpha, x: float, y: float) -> None:
    """Draw nothing."""


def frame(
    canvas: Canvas, box: tuple[float, float, float, float], width: float, colour: Colour
) -> None:
    """Draw a rectangle (left, top, right, bottom) in a line of so many pixels."""
    layer = canvas.layer()
    left, top, right, bottom = (round(v) for v in box)
    cv2.rectangle(layer, (left, top), (right, bottom), 255, max(1, round(width)), cv2.LINE_AA)
    canvas.blend(layer, 0, 0, colour)


def panel(
    canvas: Canvas,
    box: tuple[float, float, float, float],
    colour: Colour,
    shape: int,
    opacity: float = 1,
) -> Alpha:
    """Fill a rectangle (shape 0), an ellipse (1) or a rounded rectangle (2); return its mask."""
    layer = canvas.layer()
    left, top, right, bottom = box
    if shape == 1:
        centre = (round((left + right) / 2), round((top + bottom) / 2))
        axes = (max(1, round((right - left) * 0.56)), max(1, round((bottom - top) * 0.56)))
        cv2.ellipse(layer, centre, axes, 0, 0, 360, 255, -1, cv2.LINE_AA)
    elif shape == 0:
        cv2.rectangle(layer, (round(left), round(top)), (round(right), round(bottom)), 255, -1)
    else:
        reach = max(1, round(min(right - left, bottom - top) * canvas.rng.uniform(0.08, 0.3)))
        a, b = (
            (round(left) + reach, round(top) + reach),
            (round(right) - reach, round(bottom) - reach),
        )
        cv2.rectangle(layer, a, b, 255, -1)
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        layer = np.asarray(cv2.dilate(layer, disc), np.uint8)
    canvas.blend(layer, 0, 0, colour, opacity)
    return layer


def random_effect(
    rng: np.random.Generator, height: float, colour: Colour, ground: Colour
) -> Effect:
    """Return what printed numbers outdoors have: mostly nothing, a shadow, a border or relief."""
    chance = rng.random()
    if chance < 0.5:
        return no_effect
    if chance < 0.75:
        return shadow(rng, height)
    return border(rng, height, colour) if chance < 0.9 else relief(rng, height, ground)
