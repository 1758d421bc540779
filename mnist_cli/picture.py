"""A decoded picture, and its conversion to gray levels and colours."""

import functools
from collections.abc import Callable

import numpy as np
from PIL import Image

from mnist_cli.arrays import Gray, Pixels

# Luma between the darkest and the lightest pixel; below it ink and paper may differ in colour only.
MIN_LUMA_RANGE = 64
# Longer side of the copy that colour statistics are computed from.
COLOUR_SAMPLE_SIDE_PX = 256
# How much more the first principal component has to vary than luma to replace it.
MIN_DEVIATION_RATIO = 1.5
# ITU-R BT.601, as in Pillow.
LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)


class Picture:
    """A picture of 8 bits, upright and without transparency; conversions are made when needed."""

    def __init__(
        self,
        image: Image.Image | Gray,
        full_size: tuple[int, int] | None = None,
        reduction: int = 1,
        decode: "Callable[[int], Picture] | None" = None,
    ) -> None:
        """Take an image of Pillow of any mode but `F` and `I`, or gray levels, uint8 [H, W].

        If the decoder reduced the image, `full_size` is the size of the picture, `reduction` the
        size of its pixels in those of the picture, and `decode` decodes it again with another
        reduction.
        """
        if isinstance(image, Image.Image):
            self._image = image
            self.size = image.size
        else:
            self.gray = image
            self.size = image.shape[1], image.shape[0]
        """Width and height of the decoded image in pixels."""
        self.full_size = full_size or self.size
        """Width and height of the picture in pixels."""
        self.has_more_pages = False
        """Whether the picture is the first page of several, as in scans."""
        self._reduction = reduction
        self._decode = decode

    @classmethod
    def from_pixels(cls, pixels: Pixels) -> "Picture":
        """Take gray levels [H, W] of any number type, 0 black to 255 white."""
        whole = pixels if pixels.dtype == np.uint8 else pixels.round()
        picture = cls(np.asarray(whole, np.uint8))
        picture.pixels = pixels
        return picture

    @functools.cached_property
    def _image(self) -> Image.Image:
        return Image.fromarray(self.gray)

    @functools.cached_property
    def gray(self) -> Gray:
        """Gray levels, uint8 [H, W], 0 black to 255 white.

        Colours are converted to luma (ITU-R BT.601), or to their first principal component if ink
        and paper have nearly the same luma.
        """
        gray = self._image if self._image.mode == "L" else self._image.convert("L")
        if self._image.mode not in ("1", "L"):
            luma = np.asarray(gray)  # its extrema take a tenth of the time of Pillow's
            if int(luma.max()) - int(luma.min()) < MIN_LUMA_RANGE:
                gray = _principal_component(self._image.convert("RGB"), gray)
        return np.asarray(gray)

    @functools.cached_property
    def pixels(self) -> Pixels:
        """The gray levels as they were given, which can be fractions."""
        return self.gray

    @property
    def is_reduced(self) -> bool:
        """Whether the decoder made the image smaller than the picture."""
        return self._reduction > 1

    @property
    def larger(self) -> "Picture":
        """A reduced picture, decoded again at twice the size."""
        assert self._decode
        return self._decode(self._reduction // 2)

    @property
    def full(self) -> "Picture":
        """The picture in full size, decoded again; itself if it is not reduced."""
        return self._decode(1) if self._decode else self

    @functools.cached_property
    def image(self) -> Image.Image:
        """The picture in the mode `L` if it is gray, otherwise in `RGB`."""
        return self._image if self._image.mode == "L" else self._image.convert("RGB")


def _principal_component(rgb: Image.Image, luma: Image.Image) -> Image.Image:
    """Return the first principal component of the colours, scaled so that lighter stays lighter.

    Returns the luma if it varies nearly as much.
    """
    colours = np.asarray(reduced(rgb), np.float32).reshape(-1, 3)
    mean = colours.mean(axis=0)
    colours = colours - mean
    axis = np.linalg.eigh(colours.T @ colours)[1][:, -1]
    axis = axis / np.abs(axis).sum() * (np.sign(axis @ LUMA_WEIGHTS) or 1)
    if (colours @ axis).std() < MIN_DEVIATION_RATIO * (colours @ LUMA_WEIGHTS).std():
        return luma
    return rgb.convert("L", (*axis.tolist(), float(mean @ (LUMA_WEIGHTS - axis))))


def reduced(image: Image.Image) -> Image.Image:
    """Return a copy of at most COLOUR_SAMPLE_SIDE_PX on its longer side."""
    return image.reduce(-(-max(image.size) // COLOUR_SAMPLE_SIDE_PX))
