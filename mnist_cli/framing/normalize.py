"""The frame itself: 20x20 for the digit, its centre of mass in the middle of 28x28."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.arrays import Gray, Mask
from mnist_cli.errors import InputError

MNIST_SIDE_PX = 28
# The longest side of a digit in MNIST. http://yann.lecun.com/exdb/mnist
DIGIT_SIDE_PX = 20
# Less than this between ink and paper, in gray levels, is texture and noise.
MIN_CONTRAST = 32

Projection = npt.NDArray[np.int64]


def blank() -> InputError:
    return InputError("no digit in the picture: it is blank, or ink and paper differ too little")


def bounding_box(mask: Mask) -> tuple[slice, slice]:
    """The smallest rectangle around all that is true."""
    return _nonzero_range(mask.any(axis=1)), _nonzero_range(mask.any(axis=0))


def is_mnist_normalized(gray: Gray) -> bool:
    """Whether a picture, dark on light, is framed like MNIST: all 70,000 of its images are."""
    if gray.shape != (MNIST_SIDE_PX, MNIST_SIDE_PX):
        return False
    if gray[0, 0] < 255 and gray[-1, -1] < 255:  # the ink is 28 long
        return False
    if gray.min() > 255 - MIN_CONTRAST:
        return False
    projections = _projections(255 - gray)
    longest = max(side.stop - side.start for side in map(_nonzero_range, projections))
    return longest in (DIGIT_SIDE_PX - 1, DIGIT_SIDE_PX) and all(map(_is_centred, projections))


def _is_centred(projection: Projection) -> bool:
    """Whether the centre of mass is in the middle, or as near as the border lets lopsided ink."""
    centre = _centre_of_mass(projection)
    return bool(
        13.45 <= centre <= 14.55
        or (centre < 13.45 and projection[-1] > 0)
        or (centre > 14.55 and projection[0] > 0)
    )


def fit_to_20x20(foreground: Gray) -> Gray:
    """Scale ink [h, w] so that its longest side is 20, antialiased.

    A line that gets thinner than a pixel comes out faint; as in MNIST, ink is made full again.
    """
    scale = DIGIT_SIDE_PX / max(foreground.shape)
    height, width = (max(1, round(side * scale)) for side in foreground.shape)
    # By way of bytes, which costs a third of `fromarray` and `asarray`.
    image = Image.frombuffer("L", foreground.shape[::-1], foreground.tobytes(), "raw", "L", 0, 1)
    image = image.resize((width, height), Image.Resampling.BICUBIC)
    small = np.frombuffer(image.tobytes(), np.uint8).reshape(height, width)
    if (strongest := int(small.max())) == 255:
        return small
    return (small * np.float32(255 / max(strongest, 1))).round().astype(np.uint8)


def centre_on_28x28(foreground: Gray) -> Gray:
    """Put ink [h, w] on an empty 28x28 with its centre of mass in the middle, by whole pixels.

    Whole pixels, so that to frame a picture twice changes nothing.
    """
    canvas = np.zeros((MNIST_SIDE_PX, MNIST_SIDE_PX), np.uint8)
    offsets = []
    for projection in _projections(foreground):
        # The least shift that brings the centre to 13.5 or beyond, as in MNIST: 13.5 to 14.5.
        shift = math.ceil((MNIST_SIDE_PX - 1) / 2 - _centre_of_mass(projection))
        offsets.append(min(max(shift, 0), MNIST_SIDE_PX - len(projection)))
    top, left = offsets
    canvas[top : top + foreground.shape[0], left : left + foreground.shape[1]] = foreground
    return canvas


def _nonzero_range(projection: Any) -> slice:
    """From the first that is not zero to the last."""
    filled = projection.nonzero()[0]
    return slice(filled[0], filled[-1] + 1)


def _projections(foreground: Gray) -> tuple[Projection, Projection]:
    """The ink in each row, and in each column."""
    return foreground.sum(axis=1, dtype=np.int64), foreground.sum(axis=0, dtype=np.int64)


def _centre_of_mass(projection: Projection) -> float:
    """The centre of mass along one axis."""
    return float(projection @ np.arange(len(projection)) / projection.sum())
