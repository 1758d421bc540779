"""From pixels to what the models take: the five steps, and the framing before them."""

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.choices import Preprocess
from mnist_cli.errors import InputError

SIDE = 28
# The longest side of a digit in MNIST. http://yann.lecun.com/exdb/mnist
DIGIT_SIDE = 20
# Less than this between ink and paper, in gray levels, is texture and noise.
MIN_CONTRAST = 32

Pixels = npt.NDArray[np.generic]
Floats = npt.NDArray[np.float32]
Profile = npt.NDArray[np.int64]


def to_batch(pictures: Sequence[Pixels] | Pixels, preprocess: Preprocess = "auto") -> Floats:
    """Pictures -> the input of a model, float32 [N, 784], ink 1.0 and paper 0.0.

    Args:
        pictures: N pictures [H, W] of any sizes, 0 black to 255 white.
        preprocess: `plain` takes the five steps alone; `auto` frames each picture first.

    Raises:
        InputError: `auto` finds no digit in a picture.
    """
    if preprocess == "auto":
        pictures = [frame(picture) for picture in pictures]
    return five_steps(pictures)


def shrunk(pixels: Pixels, preprocess: Preprocess = "auto") -> Pixels:
    """One picture [H, W] -> [28, 28] of the same batch, for those who collect many before it.

    Raises:
        InputError: `auto` finds no digit in it.
    """
    return frame(pixels) if preprocess == "auto" else resize(pixels[..., np.newaxis])[..., 0]


def five_steps(pictures: Sequence[Pixels] | Pixels) -> Floats:
    """N pictures [H, W], 0 black to 255 white -> a batch, float32 [N, 784]."""
    images = [picture[..., np.newaxis] for picture in pictures]
    resized = np.stack([resize(image) for image in images])
    flat = resized.reshape(len(pictures), SIDE * SIDE)
    return 1 - flat / np.float32(255)


def resize(image: Pixels) -> Floats:
    """An image [H, W, C] -> float32 [28, 28, C], bilinear as in TensorFlow 1.

    `tf.image.resize_images` of TensorFlow 1 maps output i to input i * H / 28, without half-pixel
    centres and without antialiasing; the models of 2017 were made for its results. Source: the
    legacy scaler in tensorflow/core/util/image_resizer_state.h.
    """
    if image.shape[:2] == (SIDE, SIDE):
        return image.astype(np.float32)
    top, bottom, down = _neighbours(image.shape[0])
    left, right, across = _neighbours(image.shape[1])
    down, across = down[:, np.newaxis, np.newaxis], across[:, np.newaxis]

    def corner(rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]) -> Floats:
        return image[rows][:, columns].astype(np.float32)

    upper = corner(top, left) + (corner(top, right) - corner(top, left)) * across
    lower = corner(bottom, left) + (corner(bottom, right) - corner(bottom, left)) * across
    return upper + (lower - upper) * down


@functools.lru_cache
def _neighbours(size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    """For each of 28 outputs: the inputs before and after it, and its distance from the first."""
    position = np.arange(SIDE, dtype=np.float32) * (np.float32(size) / np.float32(SIDE))
    floor = np.floor(position)
    before = floor.astype(np.intp)
    return before, np.minimum(before + 1, size - 1), position - floor


def frame(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Frame a digit as the makers of MNIST did -> uint8 [28, 28], dark ink on white paper.

    The ink is cropped, scaled into 20x20 with its aspect ratio kept, and its centre of mass moved
    into the middle of 28x28 (LeCun et al. 1998, "Gradient-based learning applied to document
    recognition", section III-A). A picture that is framed like that already stays as it is, turned
    to dark on light.

    Args:
        pixels: a picture [H, W], 0 black to 255 white, dark on light or light on dark.

    Raises:
        InputError: the picture is blank.
    """
    gray = pixels.round().astype(np.uint8, copy=False)
    darkest, lightest = int(gray.min()), int(gray.max())
    paper = _paper(gray)
    if 2 * paper < darkest + lightest:
        gray, paper, darkest = 255 - gray, 255 - paper, 255 - lightest
    contrast = paper - darkest
    if contrast < MIN_CONTRAST:
        raise InputError("no digit in the picture: it is blank, or ink and paper differ too little")
    if _is_framed(gray):
        return gray
    gray = gray[_bounds(gray < paper - contrast / 4)]
    return 255 - _centred(_scaled(_inked(paper, contrast)[gray]))


def _paper(gray: npt.NDArray[np.uint8]) -> int:
    """The median level of the border; `np.median` takes ten times as long for so few numbers."""
    border = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
    return int(np.sort(border)[len(border) // 2])


def _bounds(mask: npt.NDArray[np.bool_]) -> tuple[slice, slice]:
    """The smallest rectangle around all that is true."""
    return _extent(mask.any(axis=1)), _extent(mask.any(axis=0))


def _extent(profile: Any) -> slice:
    """From the first that is not zero to the last."""
    filled = profile.nonzero()[0]
    return slice(filled[0], filled[-1] + 1)


def _is_framed(gray: npt.NDArray[np.uint8]) -> bool:
    """Whether a picture, dark on light, is framed like MNIST: all 70,000 of its images are."""
    if gray.shape != (SIDE, SIDE) or gray.min() == 255:
        return False
    profiles = _profiles(255 - gray)
    longest = max(side.stop - side.start for side in map(_extent, profiles))
    return longest in (DIGIT_SIDE - 1, DIGIT_SIDE) and all(
        13.45 <= _centre(profile) <= 14.55 for profile in profiles
    )


def _profiles(ink: npt.NDArray[np.uint8]) -> tuple[Profile, Profile]:
    """The ink in each row, and in each column."""
    return ink.sum(axis=1, dtype=np.int64), ink.sum(axis=0, dtype=np.int64)


def _centre(profile: Profile) -> float:
    """The centre of mass along one axis."""
    return float(profile @ np.arange(len(profile)) / profile.sum())


def _inked(paper: int, contrast: int) -> npt.NDArray[np.uint8]:
    """The ink, 0 to 255, of each gray level [256].

    A tenth at each end is paper texture and uneven ink: it becomes plain paper and full ink.
    """
    depth = (paper - np.arange(256, dtype=np.float32)) / np.float32(contrast)
    ink: npt.NDArray[np.uint8] = (np.clip((depth - 0.1) / 0.8, 0, 1) * 255).round().astype(np.uint8)
    return ink


def _scaled(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Scale ink [h, w] so that its longest side is 20, antialiased.

    A line that gets thinner than a pixel comes out faint; as in MNIST, ink is made full again.
    """
    scale = DIGIT_SIDE / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    # By way of bytes, which costs a third of `fromarray` and `asarray`.
    image = Image.frombytes("L", ink.shape[::-1], ink.tobytes())
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    scaled = np.frombuffer(image.tobytes(), np.uint8).reshape(height, width)
    full = np.float32(255 / max(scaled.max(), 1))
    return (scaled * full).round().astype(np.uint8)


def _centred(ink: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Put ink [h, w] on an empty 28x28 with its centre of mass in the middle, by whole pixels."""
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    offsets = []
    for profile in _profiles(ink):
        # The least shift that brings the centre to 13.5 or beyond, as in MNIST: 13.5 to 14.5.
        shift = math.ceil((SIDE - 1) / 2 - _centre(profile))
        offsets.append(min(max(shift, 0), SIDE - len(profile)))
    top, left = offsets
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas
