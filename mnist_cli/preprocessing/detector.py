"""Runs the digit detector and decodes its output."""

import functools
import threading
from typing import Any, NamedTuple, cast

import numpy as np
from PIL import Image

from mnist_cli.arrays import Floats
from mnist_cli.errors import ModelError
from mnist_cli.native_output import native_output_hidden
from mnist_cli.package_data import data_folder
from mnist_cli.preprocessing.geometry import Rectangle
from mnist_cli.preprocessing.parameters import DETECTOR
from mnist_cli.runtimes.litert import Interpreter

# The format of the network, which `training/detector` trains.
CELL_PX, MASK_PX, INPUT_MULTIPLE_PX = 4, 2, 32
"""Pixels of a cell and of the mask, and what the sides of the input are multiples of."""
CONTRAST_FLOOR = 12.0
"""Added to the standard deviation of a picture before dividing by it, in gray levels."""
BOX_UNIT_PX, OFFSET_UNIT_PX = 16.0, 8.0
"""Side of a box whose logarithm is 0, and the smallest side that offsets are fractions of."""
MIN_SIDE_PX = 0.5
"""Side of a box in the picture; smaller ones lie outside of it."""


MAX_KEPT_AREA_PX = 288 * 288
"""Area of the largest look whose memory an interpreter keeps; that of the first look at a square
picture. Each pixel takes 160 bytes."""


class Detection(NamedTuple):
    """One digit that the network found."""

    box: Rectangle
    """In pixels of the picture."""
    score: float
    """Objectness, 0 to 1."""
    classes: Floats
    """float32 [10], the probabilities of the digits; they sum to 1."""


class Look(NamedTuple):
    """The network's output for a region of a picture at one scale."""

    region: Rectangle
    scale: tuple[float, float]
    """Pixels of the look per pixel of the picture, in x and y."""
    detections: list[Detection]
    """Without duplicates, the highest score first."""
    foreground: Floats
    """float32 [h, w], the probability that each pixel of the mask shows the ink of a digit."""

    @property
    def has_digit(self) -> bool:
        """Whether any detection is probably a digit."""
        return any(found.score >= DETECTOR.min_score for found in self.detections)

    def in_mask(self, box: Rectangle) -> Rectangle:
        """Return the pixels of the mask that a rectangle of the picture covers."""
        height, width = self.foreground.shape
        x, y = (scale / MASK_PX for scale in self.scale)
        margin = DETECTOR.margin_px / MASK_PX
        return Rectangle(
            (box.left - self.region.left) * x + margin,
            (box.top - self.region.top) * y + margin,
            (box.right - self.region.left) * x + margin,
            (box.bottom - self.region.top) * y + margin,
        ).expanded(0, width, height)


class Detector:
    """The compiled network; safe to call from many threads, each has its own interpreter."""

    def __init__(self, compiled: bytes) -> None:
        """Take the content of a `model.tflite` that `training/detector` made."""
        self._compiled = compiled
        self._local = threading.local()
        # As in `LiteRTRuntime`: the first interpreter of a process prints messages to stderr.
        with native_output_hidden(even_if_verbose=True):
            self._kept_interpreter()

    def look(self, picture: Image.Image, region: Rectangle, scale: float) -> Look:
        """Run the network on a region of a picture (L or RGB), enlarged or reduced by `scale`."""
        width, height = (max(8, round(side * scale)) for side in (region.width, region.height))
        kernel = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
        resized = picture.resize((width, height), kernel, box=region).convert("RGB")
        pixels = np.asarray(resized, np.float32)
        margin = DETECTOR.margin_px
        sides = (-(-(side + 2 * margin) // INPUT_MULTIPLE_PX) for side in (height, width))
        padded = np.zeros((*(side * INPUT_MULTIPLE_PX for side in sides), 3), np.float32)
        padded[margin : margin + height, margin : margin + width] = normalize_contrast(pixels)
        cells, foreground = self.run(padded)
        scales = width / region.width, height / region.height
        found = (
            one._replace(box=_in_picture(one.box, region, scales, picture.size))
            for one in decode_cells(cells)
        )
        detections = [one for one in found if min(one.box.sides) > MIN_SIDE_PX]
        return Look(region, scales, detections, _sigmoid(foreground[..., 0]))

    def run(self, pixels: Floats) -> tuple[Floats, Floats]:
        """Run the network on float32 [H, W, 3].

        Returns:
            float32 [H/4, W/4, 15], logits and boxes of the cells, and float32 [H/2, W/2, 1], the
            logits of the foreground.
        """
        is_large = pixels.shape[0] * pixels.shape[1] > MAX_KEPT_AREA_PX
        interpreter = self._new_interpreter() if is_large else self._kept_interpreter()
        source = interpreter.get_input_details()[0]
        if tuple(source["shape"][1:]) != pixels.shape:
            interpreter.resize_tensor_input(source["index"], (1, *pixels.shape))
            interpreter.allocate_tensors()
        interpreter.set_tensor(source["index"], pixels[np.newaxis])
        interpreter.invoke()
        infos = interpreter.get_output_details()
        outputs = (interpreter.get_tensor(info["index"])[0] for info in infos)
        foreground, cells = sorted(outputs, key=lambda output: output.shape[-1])
        return cells, foreground

    def _kept_interpreter(self) -> Interpreter:
        """Return the interpreter of this thread."""
        if not hasattr(self._local, "interpreter"):
            self._local.interpreter = self._new_interpreter()
            self._local.interpreter.allocate_tensors()
        return cast(Interpreter, self._local.interpreter)

    def _new_interpreter(self) -> Interpreter:
        from ai_edge_litert import interpreter

        return cast(
            Interpreter, interpreter.Interpreter(model_content=self._compiled, num_threads=1)
        )


@functools.cache
def load_detector() -> Detector:
    """Load the detector that comes with the package, once.

    Raises:
        ModelError: its file cannot be read.
    """
    file = (
        data_folder("saved_models") / "preprocessing" / "detector" / "assets.extra" / "model.tflite"
    )
    try:
        return Detector(file.read_bytes())
    except OSError as error:
        raise ModelError(f"{file}: {error.strerror}") from error


def normalize_contrast(pixels: Floats) -> Floats:
    """Subtract the mean colour of float32 [H, W, 3] and divide by the standard deviation."""
    centred = pixels - pixels.mean(axis=(0, 1))
    return np.asarray(centred / (pixels.std() + np.float32(CONTRAST_FLOOR)), np.float32)


def decode_cells(cells: Floats) -> list[Detection]:
    """Return the peaks of objectness as detections, the highest score first, without duplicates.

    Args:
        cells: float32 [H/4, W/4, 15]: a logit of objectness, ten logits of the classes, the
            logarithms of width and height, and the offset of the centre in x and y.

    Returns:
        Detections whose boxes are in pixels of the network's input.
    """
    objectness = _sigmoid(cells[..., 0])
    rows, columns = objectness.shape
    padded = np.pad(objectness, 1)
    shifted = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    is_peak = (objectness >= np.max(shifted, axis=0)) & (objectness >= DETECTOR.min_peak)
    ys, xs = np.nonzero(is_peak)
    values, scores = cells[ys, xs], objectness[ys, xs]
    classes = np.exp(values[:, 1:11] - values[:, 1:11].max(axis=1, keepdims=True))
    classes /= classes.sum(axis=1, keepdims=True)
    sides = np.exp(np.clip(values[:, 11:13], -3, 4)) * BOX_UNIT_PX
    centres = (np.stack([xs, ys], axis=1) + 0.5) * CELL_PX
    centres = centres + values[:, 13:15] * np.maximum(sides, OFFSET_UNIT_PX)
    edges = np.concatenate([centres - sides / 2, centres + sides / 2], axis=1)
    return _without_duplicates(
        [
            Detection(Rectangle(*edges[index].tolist()), float(scores[index]), classes[index])
            for index in scores.argsort(kind="stable")[::-1]
        ]
    )


def _in_picture(
    box: Rectangle, region: Rectangle, scale: tuple[float, float], size: tuple[int, int]
) -> Rectangle:
    """Convert a box of the network's input to pixels of a picture of this size."""
    x, y = scale
    margin = DETECTOR.margin_px
    return Rectangle(
        (box.left - margin) / x + region.left,
        (box.top - margin) / y + region.top,
        (box.right - margin) / x + region.left,
        (box.bottom - margin) / y + region.top,
    ).expanded(0, *size)


def _without_duplicates(detections: list[Detection]) -> list[Detection]:
    """Non-maximum suppression: drop each box that overlaps one with a higher score."""
    kept: list[Detection] = []
    for one in detections:
        if not any(_is_duplicate(one.box, other.box) for other in kept):
            kept.append(one)
    return kept


def _is_duplicate(one: Rectangle, other: Rectangle) -> bool:
    common = one.intersection(other)
    areas = one.width * one.height, other.width * other.height
    return common > DETECTOR.max_iou * (sum(areas) - common) or common > DETECTOR.max_inside * min(
        areas
    )


def _sigmoid(logits: Any) -> Floats:
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -30, 30))), np.float32)
