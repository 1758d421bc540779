"""Time saved by code that was written for speed, compared with the obvious way.

    python -m benchmarks.fast_paths

Each line belongs to a comment in `mnist_cli` that claims to be faster. Code that saves less than
3 % of a small picture, which takes about 100 us, is not worth keeping.
"""

import io
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from benchmarks.measure import ROOT, machine
from mnist_cli import input_files
from mnist_cli.arrays import Gray
from mnist_cli.preprocessing.threshold import histogram

ROUNDS, CALLS = 15, 300
SAMPLE = ROOT / "samples" / "MNIST-7.png"


class Comparison(NamedTuple):
    """Two ways to do the same."""

    name: str
    fast: Callable[[], Any]
    obvious: Callable[[], Any]


def main() -> None:
    """Time all pairs in turns and print a table."""
    print(f"{machine()}\n\n| | us | obvious way, us | ratio |\n|---|---|---|---|")
    for name, fast, obvious in comparisons():
        times: tuple[list[float], list[float]] = [], []
        for _ in range(ROUNDS):
            for way, measured in zip((fast, obvious), times, strict=True):
                started = time.perf_counter()
                for _ in range(CALLS):
                    way()
                measured.append(1e6 * (time.perf_counter() - started) / CALLS)
        one, other = map(statistics.median, times)
        print(f"| {name} | {one:.1f} | {other:.1f} | {other / one:.2f} |")


def comparisons() -> Iterator[Comparison]:
    """Yield all pairs."""
    gray = np.asarray(Image.open(SAMPLE).convert("L"))
    yield Comparison(
        "`input_files.load` of a small file",
        lambda: input_files.load(str(SAMPLE), io.BytesIO()),
        lambda: _read_up_to(SAMPLE, input_files.MAX_BYTES),
    )
    for pixels in (gray[28:56, 28:56], gray):
        yield _histogram(np.ascontiguousarray(pixels))
    rows = gray.tolist()
    yield Comparison(
        "`decode_pixels`: rows to bytes",
        lambda: b"".join(map(bytearray, rows)),
        lambda: b"".join(map(bytes, rows)),
    )


def _histogram(pixels: Gray) -> Comparison:
    height, width = pixels.shape
    return Comparison(
        f"`histogram` of {width}x{height}",
        lambda: histogram(pixels),
        lambda: np.array(Image.fromarray(pixels).histogram()),
    )


def _read_up_to(file: Path, size: int) -> bytes:
    with file.open("rb") as stream:
        return stream.read(size)


if __name__ == "__main__":
    main()
