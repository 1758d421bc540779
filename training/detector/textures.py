"""Grounds: plain surfaces, paper, security printing, bricks, stripes and photographs."""

import cv2
import numpy as np
from numpy.typing import NDArray

from training.detector import backgrounds
from training.detector.canvas import Colour, Picture
from training.detector.colours import any_colour, paper_colour
from training.detector.sources import Sources

ANY = {"plain": 0.28, "photo": 0.22, "bricks": 0.07, "stripes": 0.06, "paper": 0.27, "cheque": 0.1}
OUTDOORS = {"plain": 0.2, "photo": 0.5, "bricks": 0.2, "stripes": 0.1}


def ground(
    rng: np.random.Generator,
    sources: Sources,
    height: int,
    width: int,
    shares: dict[str, float] = ANY,
) -> Picture:
    """Return a ground of one of several kinds, float32 [height, width, 3]."""
    kind = list(shares)[rng.choice(len(shares), p=list(shares.values()))]
    if kind == "photo":
        return photo(rng, sources, height, width)
    if kind == "plain":
        return plain(rng, height, width, any_colour(rng))
    if kind == "paper":
        return paper(rng, height, width, ruled=rng.random() < 0.4)
    if kind == "cheque":
        return cheque(rng, height, width)
    return bricks(rng, height, width) if kind == "bricks" else stripes(rng, height, width)


def noise_field(
    rng: np.random.Generator, height: int, width: int, cell: float
) -> NDArray[np.float32]:
    """Return smooth noise, float32 [height, width, 1], deviation about 1, `cell` pixels wide."""
    shape = (int(height / cell) + 2, int(width / cell) + 2)
    knots = rng.standard_normal(shape, np.float32)
    field = cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field, np.float32)[..., None]


def plain(rng: np.random.Generator, height: int, width: int, colour: Colour) -> Picture:
    """Return a surface of one colour, often uneven or rough."""
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = colour
    if rng.random() < 0.5:
        picture += noise_field(rng, height, width, rng.uniform(20, 120)) * rng.uniform(0, 14)
    if rng.random() < 0.5:
        picture += noise_field(rng, height, width, rng.uniform(1, 6)) * rng.uniform(0, 9)
    return picture


def photo(rng: np.random.Generator, sources: Sources, height: int, width: int) -> Picture:
    """Return a part of a photograph or texture."""
    file = sources.backgrounds[int(rng.integers(len(sources.backgrounds)))]
    whole = backgrounds.load(file)
    scale = rng.uniform(0.4, 2.2)
    rows, columns = (
        min(side, max(16, round(wanted * scale)))
        for side, wanted in zip(whole.shape, (height, width), strict=False)
    )
    top, left = (
        int(rng.integers(n)) for n in (len(whole) - rows + 1, whole.shape[1] - columns + 1)
    )
    part = whole[top : top + rows, left : left + columns]
    if rng.random() < 0.5:
        part = part[:, ::-1]
    method = cv2.INTER_AREA if rows > height else cv2.INTER_LINEAR
    return np.asarray(
        cv2.resize(np.ascontiguousarray(part), (width, height), interpolation=method), np.float32
    )


def paper(rng: np.random.Generator, height: int, width: int, ruled: bool) -> Picture:
    """Return paper, with lines or squares if ruled."""
    colour = paper_colour(rng)
    picture = plain(rng, height, width, colour)
    if ruled:
        line = np.clip(colour - rng.uniform(20, 140) * rng.uniform(0.2, 1, 3), 0, 255).tolist()
        pitch, thickness = rng.uniform(9, 60), 1 if rng.random() < 0.8 else 2
        for y in np.arange(rng.uniform(0, pitch), height, pitch):
            cv2.line(picture, (0, int(y)), (width, int(y)), line, thickness, cv2.LINE_AA)
        if rng.random() < 0.45:
            for x in np.arange(rng.uniform(0, pitch), width, pitch):
                cv2.line(picture, (int(x), 0), (int(x), height), line, thickness, cv2.LINE_AA)
        elif rng.random() < 0.3:
            x = int(rng.uniform(0, width))
            cv2.line(picture, (x, 0), (x, height), (220, 80, 90), thickness)
    return picture


def cheque(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Return paper with the fine waves of security printing."""
    colour = paper_colour(rng)
    picture = plain(rng, height, width, colour)
    for _ in range(rng.integers(1, 4)):
        ink = np.clip(colour - rng.uniform(10, 80), 0, 255).tolist()
        pitch, swing = rng.uniform(3, 14), rng.uniform(0.5, 14)
        frequency, phase, drift = rng.uniform(0.02, 0.2), rng.uniform(0, 6), rng.uniform(0, 0.4)
        upright = rng.random() < 0.35
        along = np.arange(0, (height if upright else width) + 4, 3.0)
        for row, start in enumerate(
            np.arange(-swing, (width if upright else height) + swing, pitch)
        ):
            across = start + swing * np.sin(along * frequency + phase + row * drift)
            points = np.stack([across, along] if upright else [along, across], axis=1)
            fixed = (points * 8).astype(np.int32)
            cv2.polylines(picture, [fixed], False, ink, 1, cv2.LINE_AA, 3)
    return picture


def bricks(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Return a wall of bricks or tiles."""
    picture = plain(rng, height, width, any_colour(rng))
    base, brick = rng.uniform(40, 220, 3), rng.uniform(8, 50)
    long, joint = brick * rng.uniform(1, 3.5), max(1, int(brick * rng.uniform(0.05, 0.2)))
    for row, y in enumerate(np.arange(-rng.uniform(0, brick), height, brick)):
        for x in np.arange(-(row % 2) * long / 2 - rng.uniform(0, 1), width, long):
            colour = np.clip(base + rng.normal(0, 14, 3), 0, 255).tolist()
            corner = (int(x + long) - joint, int(y + brick) - joint)
            cv2.rectangle(picture, (int(x), int(y)), corner, colour, -1)
    return picture + noise_field(rng, height, width, 2) * np.float32(rng.uniform(2, 12))


def stripes(rng: np.random.Generator, height: int, width: int) -> Picture:
    """Return boards, cladding or striped cloth."""
    picture = plain(rng, height, width, any_colour(rng))
    colour, pitch = any_colour(rng).tolist(), rng.uniform(5, 40)
    thickness, upright = max(1, int(pitch * rng.uniform(0.05, 0.5))), rng.random() < 0.5
    for at in np.arange(-rng.uniform(0, pitch), width if upright else height, pitch):
        end = int(at + rng.uniform(-2, 2))
        a, b = ((int(at), 0), (end, height)) if upright else ((0, int(at)), (width, end))
        cv2.line(picture, a, b, colour, thickness)
    return picture
