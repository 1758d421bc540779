"""Numbers in whole pictures with the detector alone: two looks, then lines of digits."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from training.detector.decode import Detections, decode
from training.detector.recipe import READING
from training.detector.targets import normalize

Network = Callable[[NDArray[np.float32]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Returns cells and foreground of a normalized picture, such as `runtime.CompiledDetector`."""

Pixels = NDArray[np.uint8]
MULTIPLE = 32  # the network's coarsest stride


def read(network: Network, pixels: Pixels) -> str:
    """Return the digits of a picture, uint8 [H, W, 3]; lines are separated by line feeds."""
    found = detect(network, pixels)
    return "\n".join("".join(str(found.digits[i]) for i in line) for line in lines(found.boxes))


def detect(network: Network, pixels: Pixels) -> Detections:
    """Return the digits of a picture with boxes in its pixels.

    The first look finds out where digits are and how high; the second takes only that part, at
    the height that the detector reads best.
    """
    height, width = pixels.shape[:2]
    side = READING.first_side * (READING.long_factor if _is_long(height, width) else 1)
    scale = side / max(height, width)
    first = look(network, pixels, scale, READING.seed)
    sure = first[first.scores >= READING.threshold]
    if not len(first):
        return first
    seeds = first[first.scores >= READING.strong_seed]
    seeds = seeds if len(seeds) else first
    tall = median_height(first)
    reach = READING.margin * tall
    low = np.floor(np.maximum(seeds.boxes[:, :2].min(axis=0) - reach, 0)).astype(int)
    high = np.ceil(np.minimum(seeds.boxes[:, 2:].max(axis=0) + reach, (width, height))).astype(int)
    part = pixels[low[1] : high[1], low[0] : high[0]]
    longest = max(part.shape[:2])
    zoom = min(READING.height / tall, READING.largest / longest, READING.most_zoom)
    zoom = max(zoom, READING.smallest / longest)
    similar = 1 / READING.same_scale < zoom / scale < READING.same_scale
    if similar and np.prod(part.shape[:2]) > READING.same_area * height * width:
        return sure
    second = look(network, part, zoom, READING.threshold)
    moved = second.boxes + np.tile(low, 2).astype(np.float32)
    second = Detections(second.scores, second.probabilities, moved)
    # Digits that only the first look has found count for more than a second look at nothing.
    better = second.scores.sum() >= READING.second_look_gain * sure.scores.sum()
    return second if better else sure


def look(network: Network, pixels: Pixels, scale: float, threshold: float) -> Detections:
    """Return the digits of a picture, seen at another scale, with boxes in its own pixels."""
    height, width = (max(8, round(side * scale)) for side in pixels.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    resized = cv2.resize(pixels, (width, height), interpolation=method)
    margin = READING.border
    rows, columns = (-(-(side + 2 * margin) // MULTIPLE) * MULTIPLE for side in (height, width))
    padded = np.zeros((rows, columns, 3), np.float32)
    padded[margin : margin + height, margin : margin + width] = normalize(np.asarray(resized))
    found = decode(network(padded)[0], threshold)
    factors = np.array([pixels.shape[1] / width, pixels.shape[0] / height] * 2, np.float32)
    limits = np.array([pixels.shape[1], pixels.shape[0]] * 2, np.float32)
    boxes = np.clip((found.boxes - margin) * factors, 0, limits)
    inside = np.all(boxes[:, 2:] - boxes[:, :2] > 0.5, axis=1)
    return Detections(found.scores, found.probabilities, boxes)[inside]


def median_height(found: Detections) -> float:
    """Return the median height of digits, weighted by their scores; ones are not too narrow."""
    sizes = found.boxes[:, 2:] - found.boxes[:, :2]
    heights = np.maximum(sizes[:, 1], 0.8 * sizes[:, 0])
    order = np.argsort(heights)
    weights = np.cumsum(found.scores[order])
    return float(heights[order][np.searchsorted(weights, weights[-1] / 2)])


def lines(boxes: NDArray[np.float32]) -> list[list[int]]:
    """Return the rows of `boxes` as lines from top to bottom, each from left to right."""
    centres, heights = (boxes[:, 1] + boxes[:, 3]) / 2, boxes[:, 3] - boxes[:, 1]
    found: list[list[int]] = []
    for index in np.argsort(boxes[:, 0] + boxes[:, 2], kind="stable").tolist():
        nearest, best = None, np.inf
        for candidate in found:
            last = candidate[-1]
            distance = abs(centres[index] - centres[last]) / max(heights[index], heights[last])
            common = min(boxes[index, 3], boxes[last, 3]) - max(boxes[index, 1], boxes[last, 1])
            beside = common > READING.line_overlap * min(heights[index], heights[last])
            if (distance < READING.line_distance or beside) and distance < best:
                nearest, best = candidate, float(distance)
        if nearest is None:
            found.append([index])
        else:
            nearest.append(index)
    return sorted(found, key=lambda line: float(centres[line].mean()))


def load(file: Path) -> Pixels:
    """Return a picture file as uint8 [H, W, 3], RGB, transparency on a contrasting ground."""
    with Image.open(file) as opened:
        image = ImageOps.exif_transpose(opened)
        if not image.has_transparency_data:
            return np.asarray(image.convert("RGB"), np.uint8)
        rgba = np.asarray(image.convert("RGBA"), np.float32)
    alpha = rgba[..., 3:] / 255
    light = float((rgba[..., :3] * alpha).sum() / max(3 * float(alpha.sum()), 1)) > 150
    ground = 0.0 if light else 255.0
    return np.asarray(rgba[..., :3] * alpha + ground * (1 - alpha), np.uint8)


def _is_long(height: int, width: int) -> bool:
    return max(height, width) >= 2 * min(height, width)


def main(files: list[Path]) -> None:
    """Print a JSON line for each picture, with the compiled detector."""
    from training.detector.export import COMPILED
    from training.detector.runtime import CompiledDetector

    network = CompiledDetector(COMPILED)
    for file in files:
        answer = {"file": str(file), "text": read(network, load(file))}
        sys.stdout.write(json.dumps(answer) + "\n")
