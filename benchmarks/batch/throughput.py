"""Throughput and memory of `mnist predict-batch`, compared with `tf.data` and with OpenCV.

    pip install tf2onnx onnxruntime opencv-python-headless
    python -m benchmarks.batch.throughput --data DIR

`DIR` contains the IDX files of MNIST. Two sets of pictures are made from them: 10,000 of 28x28, and
2,000 of about 600x800 with one digit on gray, noisy paper. The commands take turns; the tables show
medians.
"""

import contextlib
import io
import multiprocessing
import os
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

from benchmarks.measure import (
    ROOT,
    SAVED_MODEL,
    convert_to_onnx,
    median_and_range,
    parse_data_folder,
    pss_mb,
)
from mnist_cli import images, reshape
from mnist_cli.idx import read_split
from mnist_cli.loader import load_model
from mnist_cli.preprocessing import best_crop, prepare

ROUNDS = 3
UPPER_BOUND_ROUNDS = 7
LARGE_PICTURES = 2000
MEMORY_SAMPLE_SECONDS = 0.01
PREDICT_BATCH = [
    *(sys.executable, "-m", "mnist_cli", "predict-batch"),
    *("--quiet", "--model", str(SAVED_MODEL)),
]
PLAIN = ["--preprocess", "plain"]
UPPER_BOUND_ROWS = (
    "decoding, us per image",
    "inference, us per image",
    "upper bound, images/s",
    "`mnist predict-batch`, fraction of the upper bound",
    "the same with `--preprocess plain`",
)


def main() -> None:
    """Measure and print a table for each set of pictures."""
    data = parse_data_folder(
        "benchmarks.batch.throughput",
        "Compare the throughput and memory of `mnist predict-batch` with `tf.data` and OpenCV.",
    )
    with tempfile.TemporaryDirectory() as temporary:
        small, large = Path(temporary) / "28x28", Path(temporary) / "600x800"
        model = Path(temporary) / "k_cnn.onnx"
        convert_to_onnx(SAVED_MODEL, model)
        make_small(data, small)
        make_large(data, large)
        compare(small, model)
        compare(large, model)
        compare_with_upper_bound(small)


def make_small(data: Path, folder: Path) -> None:
    """Write the test set as PNG files, dark on light."""
    folder.mkdir()
    for index, ink in enumerate(read_split(data, "t10k")[0]):
        Image.fromarray(255 - ink).save(folder / f"{index:05}.png")


def make_large(data: Path, folder: Path) -> None:
    """Write pictures of large sheets with one digit of the test set at a random place."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for index, ink in enumerate(read_split(data, "t10k")[0][:LARGE_PICTURES]):
        height, width = rng.integers((560, 750), (640, 850))
        side = int(rng.integers(250, 420))
        paper = rng.normal(rng.integers(225, 250), 2, (height, width))
        top, left = rng.integers(0, (height - side, width - side))
        large = Image.fromarray(ink).resize((side, side), Image.Resampling.BICUBIC)
        paper[top : top + side, left : left + side] -= np.asarray(large) / 255 * 200
        Image.fromarray(paper.clip(0, 255).astype(np.uint8)).save(folder / f"{index:05}.png")


def compare(pictures: Path, model: Path) -> None:
    """Run each command on the same pictures and print time, throughput and memory."""
    mnist = [*PREDICT_BATCH, str(pictures)]
    tf_data, opencv = (
        [sys.executable, str(Path(__file__).parent / peer)]
        for peer in ("tfdata_peer.py", "opencv_peer.py")
    )
    commands = {
        "`mnist predict-batch`": mnist,
        "the same with `--preprocess plain`": [*mnist, *PLAIN],
        "`tf.data`": [*tf_data, str(SAVED_MODEL), str(pictures)],
        "OpenCV and ONNX Runtime": [*opencv, str(model), str(pictures), "1"],
    }
    rounds: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, command in commands.items():
            rounds[name].append(time_command(command))
    print(f"\n| {pictures.name} | seconds | images/s after start | MB |\n|---|---|---|---|")
    for name, results in rounds.items():
        seconds, rates = zip(*results, strict=True)
        peak = peak_memory_mb(commands[name])
        rate = statistics.median(rates)
        print(f"| {name} | {median_and_range(seconds, 2)} | {rate:,.0f} | {peak:.0f} |")


def start(command: list[str]) -> "subprocess.Popen[bytes]":
    """Start a command that writes records to its stdout."""
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.Popen(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def time_command(command: list[str]) -> tuple[float, float]:
    """Return the seconds of the whole process, and images/s after the first records."""
    started = time.perf_counter()
    process = start(command)
    assert process.stdout
    first = len(process.stdout.read1(2**20).splitlines())  # type: ignore[attr-defined]
    first_at = time.perf_counter()
    rest = len(process.stdout.read().splitlines())
    last_at = time.perf_counter()
    process.wait()
    if process.returncode or first + rest < LARGE_PICTURES:
        sys.exit(f"{command}: exit code {process.returncode}, {first + rest} records")
    return time.perf_counter() - started, rest / (last_at - first_at)


def peak_memory_mb(command: list[str]) -> float:
    """Return the peak memory of a command and all processes that it starts."""
    process = start(command)
    assert process.stdout
    threading.Thread(target=process.stdout.read, daemon=True).start()
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, sum(map(pss_mb, process_tree(process.pid))))
        time.sleep(MEMORY_SAMPLE_SECONDS)
    return peak


def process_tree(pid: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has just ended
            for child in children.read_text().split():
                yield from process_tree(int(child))


def compare_with_upper_bound(pictures: Path) -> None:
    """Compare with the throughput that decoding and inference alone allow, and print a table.

    Each stage runs alone, on all cores at once. The speed of the machine may change from minute to
    minute, so stages and commands take turns, and fractions are computed within a round.
    """
    files = sorted(map(str, pictures.iterdir()))
    cores = len(os.sched_getaffinity(0))
    parts = [files[core::cores] for core in range(cores)]
    rounds = []
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        for _ in range(UPPER_BOUND_ROUNDS):
            decode = statistics.mean(pool.map(decode_seconds, parts, 1))
            infer = statistics.mean(pool.map(inference_seconds, parts, 1))
            rates = [
                time_command([*PREDICT_BATCH, str(pictures), *options])[1]
                for options in ([], PLAIN)
            ]
            bound = cores / (decode + infer)
            rounds.append((1e6 * decode, 1e6 * infer, bound, *(rate / bound for rate in rates)))
    print(f"\n| {pictures.name}, one process on each of {cores} cores | median | min | max |")
    print("|---|---|---|---|")
    for name, column in zip(UPPER_BOUND_ROWS, zip(*rounds, strict=True), strict=True):
        figures = (statistics.median(column), min(column), max(column))
        print(f"| {name} |", " | ".join(f"{figure:,.4g}" for figure in figures), "|")


def decode_seconds(files: list[str]) -> float:
    """Return the seconds that it takes to decode a file, on average."""
    started = time.perf_counter()
    for file in files:
        _ = images.read(file, io.BytesIO()).gray
    return (time.perf_counter() - started) / len(files)


def inference_seconds(files: list[str]) -> float:
    """Return the seconds that the model takes for a picture, on average."""
    model = load_model(str(SAVED_MODEL))
    crops = [best_crop(prepare(images.read(file, io.BytesIO()))) for file in files]
    batch = reshape.to_model_input(crops)
    started = time.perf_counter()
    model.predict_proba(batch)
    return (time.perf_counter() - started) / len(files)


if __name__ == "__main__":
    main()
