"""Fits a digit into 20x20 pixels and centres it by mass on 28x28, as in MNIST."""

import math

import numpy as np
import numpy.typing as npt
from PIL import Image

from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.geometry import nonzero_range
from mnist_cli.preprocessing.stroke_width import thicken_thin_strokes
from mnist_cli.signature import SIDE

# The longer side of the digits in MNIST (http://yann.lecun.com/exdb/mnist).
DIGIT_SIDE_PX = 20
# The darkest pixel of each image of MNIST has 254 or 255. The models misread fainter digits: at 96,
# they misread 0.5 (k_cnn) to 1.4 points (k_ffnn) more of them than after normalization.
MIN_INK = 192
# Centres of mass, in pixels, in the images of MNIST, apart from lopsided digits near a border.
MIN_CENTRE_PX, MAX_CENTRE_PX = 13.45, 14.55

Projection = npt.NDArray[np.int64]


def mnist_normalized(gray: Gray) -> Gray | None:
    """Return the picture, dark on light, if it is normalized as in MNIST; otherwise None."""
    return next((upright for upright in (gray, 255 - gray) if is_mnist_normalized(upright)), None)


def normalize_foreground(foreground: Gray) -> Gray:
    """Normalize a cropped foreground [h, w], 0 to 255, to uint8 [28, 28], black on white."""
    return 255 - centre_on_28x28(fit_to_20x20(thicken_thin_strokes(foreground)))


def is_mnist_normalized(gray: Gray) -> bool:
    """Return whether a picture [H, W] is normalized as in MNIST, dark on light.

    All 70,000 images of MNIST are.
    """
    if gray.shape != (SIDE, SIDE):
        return False
    if gray[0, 0] < 255 and gray[-1, -1] < 255:  # the digit is 28 pixels long
        return False
    if 255 - gray.min() < MIN_INK:
        return False
    projections = _projections(255 - gray)
    longest = max(side.stop - side.start for side in map(nonzero_range, projections))
    return longest in (DIGIT_SIDE_PX - 1, DIGIT_SIDE_PX) and all(map(_is_centred, projections))


def _is_centred(projection: Projection) -> bool:
    """Return whether the centre of mass is in the middle.

    A lopsided digit that touches the border may be off centre: there was no room to move it.
    """
    centre = _centre_of_mass(projection)
    return bool(
        MIN_CENTRE_PX <= centre <= MAX_CENTRE_PX
        or (centre < MIN_CENTRE_PX and projection[-1] > 0)
        or (centre > MAX_CENTRE_PX and projection[0] > 0)
    )


def fit_to_20x20(foreground: Gray) -> Gray:
    """Scale a foreground [h, w] to a longer side of 20 pixels, antialiased.

    Strokes that become thinner than a pixel turn faint, so the maximum is scaled back to 255.
    """
    scale = DIGIT_SIDE_PX / max(foreground.shape)
    height, width = (max(1, round(side * scale)) for side in foreground.shape)
    image = Image.fromarray(foreground).resize((width, height), Image.Resampling.BICUBIC)
    small = np.asarray(image)
    if (strongest := int(small.max())) == 255:
        return small
    return (small * np.float32(255 / max(strongest, 1))).round().astype(np.uint8)


def centre_on_28x28(foreground: Gray) -> Gray:
    """Paste a foreground [h, w] of at most 28x28 so that its centre of mass is in the middle.

    Moving it by whole pixels makes normalization idempotent. The result is uint8 [28, 28].
    """
    canvas = np.zeros((SIDE, SIDE), np.uint8)
    offsets = []
    for projection in _projections(foreground):
        # The smallest shift that moves the centre to 13.5 or beyond; in MNIST it is 13.5 to 14.5.
        shift = math.ceil((SIDE - 1) / 2 - _centre_of_mass(projection))
        offsets.append(min(max(shift, 0), SIDE - len(projection)))
    top, left = offsets
    canvas[top : top + foreground.shape[0], left : left + foreground.shape[1]] = foreground
    return canvas


def _projections(foreground: Gray) -> tuple[Projection, Projection]:
    """Return the sums of the rows [h] and of the columns [w]."""
    return foreground.sum(axis=1, dtype=np.int64), foreground.sum(axis=0, dtype=np.int64)


def _centre_of_mass(projection: Projection) -> float:
    """Return the centre of mass along one axis, in pixels."""
    return float(projection @ np.arange(len(projection)) / projection.sum())
