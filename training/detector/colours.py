"""Colours of paper and ink with enough contrast."""

import numpy as np

from training.detector.canvas import Colour

LUMINANCE = np.array([0.299, 0.587, 0.114])
BLACK, WHITE = np.zeros(3), np.full(3, 255.0)
TRIES = 20


def any_colour(rng: np.random.Generator, low: float = 0, high: float = 255) -> Colour:
    """Return a gray or any other colour with channels between low and high."""
    if rng.random() < 0.5:
        return gray(rng, low, high)
    return rng.uniform(low, high, 3)


def gray(rng: np.random.Generator, low: float, high: float) -> Colour:
    """Return a gray with a slight tint."""
    return np.clip(rng.uniform(low, high) + rng.normal(0, 5, 3), 0, 255)


def paper_colour(rng: np.random.Generator) -> Colour:
    """Return mostly white and yellowish papers, sometimes any colour."""
    chance = rng.random()
    if chance < 0.65:
        yellow = np.array([1, 0.3, -1]) * rng.uniform(0, 15)
        return np.clip(gray(rng, 150, 255) + yellow, 0, 255)
    return rng.uniform(110, 250, 3) if chance < 0.85 else any_colour(rng, 60, 255)


def ink_colour(rng: np.random.Generator, paper: Colour, contrast: float = 55) -> Colour:
    """Return a colour that differs from the paper by a luminance of at least `contrast`."""
    for _ in range(TRIES):
        chance = rng.random()
        if chance < 0.45:
            ink = gray(rng, 0, 80)
        elif chance < 0.6:  # blue
            ink = rng.uniform((0, 20, 90), (90, 110, 230))
        elif chance < 0.7:  # red
            ink = rng.uniform((120, 0, 0), (255, 90, 90))
        elif chance < 0.82:
            ink = gray(rng, 190, 255)
        else:
            ink = rng.uniform(0, 255, 3)
        difference = abs(float((ink - paper) @ LUMINANCE))
        # Red on green of the same luminance is rare, but exists.
        vivid = np.abs(ink - paper).max() > 120 and difference > 18 and rng.random() < 0.5
        if difference > contrast or vivid:
            return ink
    return BLACK if float(paper @ LUMINANCE) > 127 else WHITE


def pencil_colour(rng: np.random.Generator, paper: Colour) -> Colour:
    """Return the ink of a pen or pencil on paper: darker, gray or blue."""
    if rng.random() < 0.65:
        return np.clip(paper - rng.uniform(60, 220), 0, 255)
    return np.clip(rng.uniform((0, 10, 70), (80, 100, 200)), 0, 255)
