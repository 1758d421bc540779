"""Recall, precision and class accuracy on the validation tiles."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from mnist_cli.preprocessing.detector import Detector
from training.detector import dataset
from training.detector.batches import network_input
from training.detector.canvas import IGNORED, Boxes
from training.detector.decode import Detections, decode, intersections
from training.detector.fit_recipe import DECODING, EVALUATION
from training.detector.tiles import Tile

HEIGHT_BOUNDS = (8, 12, 20, 32, 50, 200)
"""Digits are counted by height between these, in pixels."""


@dataclass
class Counts:
    """What was found at one threshold."""

    wanted: int = 0
    matched: int = 0
    found: int = 0
    """Without those on ignored boxes."""
    right: int = 0
    """Matched with the right digit."""
    perfect: int = 0
    """Tiles without any mistake."""
    tiles: int = 0
    wanted_by_height: list[int] = field(default_factory=lambda: [0] * len(HEIGHT_BOUNDS))
    matched_by_height: list[int] = field(default_factory=lambda: [0] * len(HEIGHT_BOUNDS))
    right_by_height: list[int] = field(default_factory=lambda: [0] * len(HEIGHT_BOUNDS))

    @property
    def recall(self) -> float:
        return self.matched / max(1, self.wanted)

    @property
    def precision(self) -> float:
        return self.matched / max(1, self.found)

    @property
    def class_accuracy(self) -> float:
        return self.right / max(1, self.matched)

    def add(self, found: Detections, boxes: Boxes) -> None:
        """Count the detections of one tile."""
        matches = match(found, boxes)
        digits = boxes[boxes[:, 0] != IGNORED]
        hits = [(i, j) for i, j in enumerate(matches) if j >= 0]
        read = found.digits
        right = [j for i, j in hits if read[i] == boxes[j, 0]]
        invented = matches.count(INVENTED)
        self.wanted += len(digits)
        self.matched += len(hits)
        self.found += len(hits) + invented
        self.right += len(right)
        self.tiles += 1
        self.perfect += len(right) == len(digits) and not invented
        for counted, counts in (
            (digits, self.wanted_by_height),
            (boxes[[j for _, j in hits]], self.matched_by_height),
            (boxes[right], self.right_by_height),
        ):
            for height in counted[:, 4] - counted[:, 2]:
                counts[int(np.searchsorted(HEIGHT_BOUNDS[1:-1], height, side="right"))] += 1


INVENTED, ON_IGNORED = -1, -2


def match(found: Detections, boxes: Boxes) -> list[int]:
    """Return the row of `boxes` that each detection stands for, best detections first.

    `INVENTED` stands for none and `ON_IGNORED` for an ignored box. A digit is matched once.
    """
    free = boxes[:, 0] != IGNORED
    areas = np.prod(boxes[:, 3:] - boxes[:, 1:3], axis=1)
    matches = []
    for box in found.boxes:
        common = intersections(box, boxes[:, 1:])
        area = float(np.prod(box[2:] - box[:2]))
        iou = common / (area + areas - common)
        best = int(np.argmax(np.where(free, iou, -1))) if free.any() else -1
        if best >= 0 and iou[best] >= EVALUATION.min_iou:
            free[best] = False
            matches.append(best)
        elif np.any((boxes[:, 0] == IGNORED) & (common > EVALUATION.ignored_part * area)):
            matches.append(ON_IGNORED)
        else:
            matches.append(INVENTED)
    return matches


def evaluate(answers: Iterable[tuple[np.ndarray, Tile]]) -> dict[float, Counts]:
    """Return the counts for each threshold.

    Args:
        answers: cells [G, G, 15] with the tile that they are of.
    """
    counts = {threshold: Counts() for threshold in EVALUATION.thresholds}
    lowest = min(counts)
    for cells, tile in answers:
        found = decode(cells, lowest)
        for threshold, count in counts.items():
            count.add(found[found.scores >= threshold], tile.boxes)
    return counts


def network_answers(
    model: object, tiles: list[Tile], size: int = 8
) -> Iterator[tuple[np.ndarray, Tile]]:
    """Yield what a Keras network answers."""
    for start in range(0, len(tiles), size):
        chosen = tiles[start : start + size]
        pictures = np.stack([network_input(tile) for tile in chosen])
        cells, _ = model(pictures, training=False)  # type: ignore[operator]
        yield from zip(np.asarray(cells), chosen, strict=True)


def compiled_answers(detector: Detector, tiles: list[Tile]) -> Iterator[tuple[np.ndarray, Tile]]:
    """Yield what the compiled network answers."""
    for tile in tiles:
        yield detector.run(network_input(tile))[0], tile


def table(counts: dict[float, Counts]) -> str:
    """Return a line for each threshold, and one for each range of heights, in percent."""
    lines = ["threshold recall precision class perfect"]
    for threshold, c in counts.items():
        perfect = c.perfect / max(1, c.tiles)
        values = (c.recall, c.precision, c.class_accuracy, perfect)
        lines.append(f"{threshold:9.2f} " + " ".join(f"{100 * value:6.2f}" for value in values))
    chosen = counts[DECODING.threshold]
    lines.append(f"height (threshold {DECODING.threshold}) digits recall class")
    for index, (low, high) in enumerate(pairwise(HEIGHT_BOUNDS)):
        wanted, matched = chosen.wanted_by_height[index], chosen.matched_by_height[index]
        right = chosen.right_by_height[index]
        recall, accuracy = 100 * matched / max(1, wanted), 100 * right / max(1, matched)
        lines.append(f"{low:3}-{high:3} px {wanted:6} {recall:6.2f} {accuracy:6.2f}")
    return "\n".join(lines)


def main() -> None:
    """Print the figures of the newest snapshot and of both compilations."""
    from training.detector.export import COMPILED, COMPILED_FLOAT
    from training.detector.fit import load_network

    tiles = dataset.read_shard(dataset.file_of("validation", 0))
    print(table(evaluate(network_answers(load_network(), tiles))))
    for file in (COMPILED_FLOAT, COMPILED):
        if file.exists():
            print(f"\n{file.name}: {file.stat().st_size / 1e6:.2f} MB")
            print(table(evaluate(compiled_answers(Detector(file.read_bytes()), tiles))))
