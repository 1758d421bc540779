"""`mnist predict-batch` and a `tf.data` pipeline on the same pictures, side by side.

    .venv/bin/python benchmarks/batch/throughput.py --data DIR

`DIR` has the IDX files of MNIST, of which the pictures are made: 10,000 of 28x28, 2,000 of about
600x800 with a digit somewhere on gray, noisy paper. The two take turns; medians are told.
"""

import argparse
import contextlib
import io
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_cli import images, reshape
from mnist_cli.idx import read_split
from mnist_cli.loader import load_model

ROOT = Path(__file__).parents[2]
ROUNDS = 3
LIMIT_ROUNDS = 7
MODEL = ROOT / "saved_models" / "k_cnn"
BATCH = [sys.executable, "-m", "mnist_cli", "predict-batch", "--quiet", "--model", str(MODEL)]
PLAIN = ["--preprocess", "plain"]
LIMIT = (
    "decoding, us an image",
    "inference, us an image",
    "images/s that both allow",
    "share that `predict-batch` reaches",
    "the same with `--preprocess plain`",
)


def main() -> None:
    """Measure, and print a table for each kind of picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        make_small(data, home / "28x28")
        make_large(data, home / "600x800")
        for pictures in (home / "28x28", home / "600x800"):
            compare(pictures)
        tell_limit(home / "28x28")


def make_small(data: Path, folder: Path) -> None:
    """Write the test set as PNG files, dark on light."""
    folder.mkdir()
    for index, ink in enumerate(read_split(data, "t10k")[0]):
        Image.fromarray(255 - ink).save(folder / f"{index:05}.png")


def make_large(data: Path, folder: Path) -> None:
    """Put 2,000 digits somewhere on large sheets of paper."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index, ink in enumerate(read_split(data, "t10k")[0][:2000]):
        height, width = rng.integers((560, 750), (640, 850))
        side = int(rng.integers(250, 420))
        paper = rng.normal(rng.integers(225, 250), 2, (height, width))
        top, left = rng.integers(0, (height - side, width - side))
        large = Image.fromarray(ink).resize((side, side), Image.Resampling.BICUBIC)
        paper[top : top + side, left : left + side] -= np.asarray(large) / 255 * 200
        Image.fromarray(paper.clip(0, 255).astype(np.uint8)).save(folder / f"{index:05}.png")


def compare(pictures: Path) -> None:
    """Let both read the same pictures in turns."""
    mnist = [*BATCH, str(pictures)]
    peer = [sys.executable, str(Path(__file__).parent / "tfdata_peer.py")]
    commands = {
        "mnist predict-batch": mnist,
        "the same with `--preprocess plain`": [*mnist, *PLAIN],
        "tf.data": [*peer, str(MODEL), str(pictures)],
    }
    timed: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, command in commands.items():
            timed[name].append(time_whole(command))
    print(f"\n| {pictures.name} | seconds | images/s once it runs | MB |\n|---|---|---|---|")
    for name, rounds in timed.items():
        seconds, rate = zip(*rounds, strict=True)
        told = f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"
        peak = peak_memory(commands[name])
        print(f"| {name} | {told} | {statistics.median(rate):,.0f} | {peak:.0f} |")


def start(command: list[str]) -> "subprocess.Popen[bytes]":
    """Start a command that writes records to its stdout."""
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def time_whole(command: list[str]) -> tuple[float, float]:
    """Seconds of the whole process, and images a second after its first portion of records."""
    began = time.perf_counter()
    process = start(command)
    assert process.stdout
    first = len(process.stdout.read1(2**20).splitlines())  # type: ignore[attr-defined]
    running = time.perf_counter()
    rest = len(process.stdout.read().splitlines())
    ended = time.perf_counter()
    process.wait()
    if process.returncode or first + rest < 2000:
        sys.exit(f"{command}: exit code {process.returncode}, {first + rest} records")
    return time.perf_counter() - began, rest / (ended - running)


def peak_memory(command: list[str]) -> float:
    """The most memory of all its processes together, in MB; what they share is counted once."""
    process = start(command)
    assert process.stdout
    threading.Thread(target=process.stdout.read, daemon=True).start()
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(proportional_memory(pid) for pid in family(process.pid)))
        time.sleep(0.01)
    return peak


def family(pid: int) -> Iterator[int]:
    """A process and all that it has started."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in children.read_text().split():
                yield from family(int(child))


def proportional_memory(pid: int) -> float:
    """The memory of a process in MB, of shared pages its part (PSS)."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:  # it has just ended
        return 0.0
    return int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1]) / 1000  # type: ignore[index]


def tell_limit(pictures: Path) -> None:
    """What decoding and inference by themselves allow, and how much of it the batch reaches.

    Each runs alone, on all cores at once; the three take turns, for how fast a machine is changes
    from minute to minute. The share is that of a round.
    """
    files = sorted(map(str, pictures.iterdir()))
    cores = len(os.sched_getaffinity(0))
    parts = [files[core::cores] for core in range(cores)]
    rounds = []
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        for _ in range(LIMIT_ROUNDS):
            decode = statistics.mean(pool.map(decoding, parts, 1))
            infer = statistics.mean(pool.map(inference, parts, 1))
            rates = [time_whole([*BATCH, str(pictures), *options])[1] for options in ([], PLAIN)]
            limit = cores / (decode + infer)
            rounds.append((1e6 * decode, 1e6 * infer, limit, *(rate / limit for rate in rates)))
    print(f"\n| {pictures.name}, alone on each of {cores} cores | median | least | most |")
    print("|---|---|---|---|")
    for name, column in zip(LIMIT, zip(*rounds, strict=True), strict=True):
        figures = (statistics.median(column), min(column), max(column))
        print(f"| {name} |", " | ".join(f"{figure:,.4g}" for figure in figures), "|")


def decoding(files: list[str]) -> float:
    """Seconds a file to decode it."""
    began = time.perf_counter()
    for file in files:
        images.read(file, io.BytesIO())
    return (time.perf_counter() - began) / len(files)


def inference(files: list[str]) -> float:
    """Seconds an image of these files to run the model."""
    model = load_model(str(MODEL))
    batch = reshape.preprocess_batch([images.read(file, io.BytesIO()) for file in files])
    began = time.perf_counter()
    model.predict_proba(batch)
    return (time.perf_counter() - began) / len(files)


if __name__ == "__main__":
    main()
