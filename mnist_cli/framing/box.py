"""The frame itself: 20x20 for the digit, its centre of mass in the middle of 28x28."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.arrays import Gray, Mask
from mnist_cli.errors import InputError

SIDE = 28
# The longest side of a digit in MNIST. http://yann.lecun.com/exdb/mnist
DIGIT_SIDE = 20
# Less than this between ink and paper, in gray levels, is texture and noise.
MIN_CONTRAST = 32

Profile = npt.NDArray[np.int64]


def blank() -> InputError:
    return InputError("no digit in the picture: it is blank, or ink and paper differ too little")


def span(mask: Mask) -> tuple[slice, slice]:
    """The smallest rectangle around all that is true."""
    return _extent(mask.any(axis=1)), _extent(mask.any(axis=0))


def framed_already(gray: Gray) -> bool:
    """Whether a picture, dark on light, is framed like MNIST: all 70,000 of its images are."""
    if gray.shape != (SIDE, SIDE):
        return False
    if gray[0, 0] < 255 and gray[-1, -1] < 255:  # the ink is 28 long
        return False
    if gray.min() > 255 - MIN_CONTRAST:
        return False
    profiles = _profiles(255 - gray)
    longest = max(side.stop - side.start for side in map(_extent, profiles))
    return longest in (DIGIT_SIDE - 1, DIGIT_SIDE) and all(map(_is_centred, profiles))


def _is_centred(profile: Profile) -> bool:
    """Whether the centre of mass is in the middle, or as near as the border lets lopsided ink."""
    centre = _centre(profile)
    return bool(
        13.45 <= centre <= 14.55
        or (centre < 13.45 and profile[-1] > 0)
        or (centre > 14.55 and profile[0] > 0)
    )


def scaled(ink: Gray) -> Gray:
    """Scale ink [h, w] so that its longest side is 20, antialiased.

    A line that gets thinner than a pixel comes out faint; as in MNIST, ink is made full again.
    """
    scale = DIGIT_SIDE / max(ink.shape)
    height, width = (max(1, round(side * scale)) for side in ink.shape)
    # By way of bytes, which costs a third of `fromarray` and `asarray`.
    image = Image.frombuffer("L", ink.shape[::-1], ink.tobytes(), "raw", "L", 0, 1)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    small = np.frombuffer(image.tobytes(), np.uint8).reshape(height, width)
    if (strongest := int(small.max())) == 255:
        return small
    return (small * np.float32(255 / max(strongest, 1))).round().astype(np.uint8)


def centred(ink: Gray) -> Gray:
    """Put ink [h, w] on an empty 28x28 with its centre of mass in the middle, by whole pixels.

    Whole pixels, so that to frame a picture twice changes nothing.
    """
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    offsets = []
    for profile in _profiles(ink):
        # The least shift that brings the centre to 13.5 or beyond, as in MNIST: 13.5 to 14.5.
        shift = math.ceil((SIDE - 1) / 2 - _centre(profile))
        offsets.append(min(max(shift, 0), SIDE - len(profile)))
    top, left = offsets
    canvas[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return canvas


def _extent(profile: Any) -> slice:
    """From the first that is not zero to the last."""
    filled = profile.nonzero()[0]
    return slice(filled[0], filled[-1] + 1)


def _profiles(ink: Gray) -> tuple[Profile, Profile]:
    """The ink in each row, and in each column."""
    return ink.sum(axis=1, dtype=np.int64), ink.sum(axis=0, dtype=np.int64)


def _centre(profile: Profile) -> float:
    """The centre of mass along one axis."""
    return float(profile @ np.arange(len(profile)) / profile.sum())
