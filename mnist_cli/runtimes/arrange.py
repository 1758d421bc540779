"""Arranges images of 28x28 pixels as the input tensor of a model."""

import functools
from typing import Any

import numpy as np
from PIL import Image

from mnist_cli.arrays import Floats
from mnist_cli.signature import SIDE, ImageLayout


def arrange(xp: Any, batch: Any, layout: ImageLayout) -> Any:
    """Return images [N, 784] in the shape [N, *layout.shape], resized and repeated as needed.

    Args:
        xp: the library of the tensors: `numpy`, or `tensorflow` to build a graph.
        batch: float32 [N, 784].
        layout: the layout of the input.
    """
    images = batch
    if layout.side != SIDE:
        weights = _resize_weights(layout.side)
        images = weights @ xp.reshape(images, (-1, SIDE, SIDE)) @ weights.T
    if layout.channel_axis is not None:
        images = xp.reshape(images, (-1, layout.side, layout.side))
        images = xp.stack([images] * 3, axis=layout.channel_axis)
    return xp.reshape(images, (-1, *layout.shape))


@functools.lru_cache
def _resize_weights(side: int) -> Floats:
    """Return the matrix [side, 28] that resizes one axis, bilinear with antialiasing."""
    identity = Image.fromarray(np.eye(SIDE, dtype=np.float32))
    resized = identity.resize((SIDE, side), Image.Resampling.BILINEAR)
    return np.asarray(resized, np.float32)
