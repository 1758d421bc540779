"""Type aliases for NumPy arrays of pixels."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.generic]
"""A grayscale picture [H, W] of any number type, from 0 for black to 255 for white."""
Gray: TypeAlias = npt.NDArray[np.uint8]
"""The same as bytes, or the foreground of a picture, from 0 for background to 255 for ink."""
Mask: TypeAlias = npt.NDArray[np.bool_]
Floats: TypeAlias = npt.NDArray[np.float32]
Indices: TypeAlias = npt.NDArray[np.intp]
