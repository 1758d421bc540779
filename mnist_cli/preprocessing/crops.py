"""Cuts a detected digit out of a picture and normalizes it as in MNIST."""

import numpy as np
from PIL import Image

from mnist_cli.arrays import Floats, Gray
from mnist_cli.preprocessing.detector import Look
from mnist_cli.preprocessing.geometry import Rectangle, bounding_box
from mnist_cli.preprocessing.normalize import normalize_foreground
from mnist_cli.preprocessing.parameters import CLASSICAL, CROPS


def crop_detection(picture: Image.Image, look: Look, index: int) -> Gray | None:
    """Normalize one of the detections of a look at a picture (L or RGB).

    Ink is separated from the background by colour: the foreground mask of the network shows where
    both are, and each pixel is placed on the line between the median colours.

    Returns:
        The digit, uint8 [28, 28], dark on light; None if there is no ink in the box.
    """
    box = look.detections[index].box
    window = box.expanded(CROPS.border * max(box.width, box.height), *picture.size)
    scale = CROPS.side_px / max(window.width, window.height)
    size = max(1, round(window.width * scale)), max(1, round(window.height * scale))
    kernel = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    resized = picture.resize(size, kernel, box=window).convert("RGB")
    colours = np.asarray(resized, np.float32)
    mask = Image.fromarray(look.foreground).resize(
        size, Image.Resampling.BICUBIC, box=look.in_mask(window)
    )
    own = _nearest_to(index, look, window, size)
    probable = np.clip(np.asarray(mask), 0, 1) * own
    foreground = (_matte(colours, probable) * own * 255).astype(np.uint8)
    visible = foreground > CLASSICAL.foreground_threshold
    return normalize_foreground(foreground[bounding_box(visible)]) if visible.any() else None


def _matte(colours: Floats, probable: Floats) -> Floats:
    """Return the foreground [h, w], 0 to 1, of colours [h, w, 3] and a rough mask [h, w]."""
    is_ink, is_background = probable > CROPS.ink_mask, probable < CROPS.background_mask
    if min(is_ink.sum(), is_background.sum()) < CROPS.min_samples:
        return probable
    ink, background = np.median(colours[is_ink], axis=0), np.median(colours[is_background], axis=0)
    axis = ink - background
    position = (colours - background) @ axis / max(float(axis @ axis), 1.0)
    low, high = CROPS.clip
    matte = np.clip((position - low) / (high - low), 0, 1) * (probable > CROPS.possible_mask)
    return np.asarray(matte, np.float32)


def _nearest_to(index: int, look: Look, window: Rectangle, size: tuple[int, int]) -> Floats:
    """Return 1.0 for each pixel of a window that is nearer to this detection than to others."""
    width, height = size
    xs = window.left + (np.arange(width, dtype=np.float32) + 0.5) * (window.width / width)
    ys = window.top + (np.arange(height, dtype=np.float32) + 0.5) * (window.height / height)

    def distance(box: Rectangle) -> Floats:
        """The larger of both distances to the centre, in widths and heights of the box."""
        across = np.abs(xs - (box.left + box.right) / 2) / box.width
        down = np.abs(ys - (box.top + box.bottom) / 2) / box.height
        return np.asarray(np.maximum(across, down[:, np.newaxis]), np.float32)

    nearest = distance(look.detections[index].box)
    own = np.ones((height, width), bool)
    for number, other in enumerate(look.detections):
        if number != index and other.box.intersection(window) > 0:
            own &= nearest <= distance(other.box)
    return own.astype(np.float32)
