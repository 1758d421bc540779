"""Throughput of `mnist predict-batch` on photographs of 12 megapixels, compared with OpenCV.

    pip install tf2onnx onnxruntime opencv-python-headless
    python -m benchmarks.batch.photos --data DIR

`DIR` contains the IDX files of MNIST. From its test set 100 JPEGs of 4000x3000 pixels are made,
with one digit of 100 to 2,500 pixels each: half of them in even light, half in the light of a lamp.
The commands take turns. The benchmark also counts the pictures that are read differently when the
decoder does not reduce them.
"""

import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from rich.progress import track

from benchmarks.batch.throughput import PREDICT_BATCH, peak_memory_mb
from benchmarks.measure import (
    ROOT,
    SAVED_MODEL,
    convert_to_onnx,
    machine,
    median_and_range,
    parse_data_folder,
)
from mnist_cli import images, recognition
from mnist_cli.errors import InputError
from mnist_cli.idx import read_split
from mnist_cli.loader import load_model
from mnist_cli.picture import Picture

WIDTH, HEIGHT = 4000, 3000
DIGIT_SIDES_PX = (100, 2500)
PHOTOS, COMPARED_PHOTOS = 100, 400
JPEG_QUALITY = 90
ROUNDS = 3


def main() -> None:
    """Measure and print a table, then compare the answers with those of full-size pictures."""
    data = parse_data_folder(
        "benchmarks.batch.photos",
        "Compare the throughput on photographs of 12 megapixels with OpenCV.",
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder, model = Path(temporary) / "photos", Path(temporary) / "k_cnn.onnx"
        folder.mkdir()
        convert_to_onnx(SAVED_MODEL, model)
        for index, (photo, _) in enumerate(photos(data, PHOTOS)):
            (folder / f"{index:03}.jpg").write_bytes(photo)
        compare(folder, model)
    compare_answers(data)


def photos(data: Path, count: int) -> Iterator[tuple[bytes, int]]:
    """Yield JPEGs, each with its digit."""
    inks, labels = read_split(data, "t10k")
    rng = np.random.default_rng(0)
    for ink, label in track(zip(inks[:count], labels[:count], strict=True), "photos", count):
        sheet = np.full((HEIGHT // 4, WIDTH // 4), rng.uniform(200, 245), np.float32)
        if rng.random() < 0.5:
            x, y = np.meshgrid(np.linspace(-1, 1, WIDTH // 4), np.linspace(-1, 1, HEIGHT // 4))
            lamp = rng.uniform(-1, 1, 2)
            sheet *= 1 - rng.uniform(0.1, 0.25) * np.hypot(x - lamp[0], y - lamp[1])
        sheet += rng.normal(0, 2, sheet.shape)
        photo = Image.fromarray(sheet.clip(0, 255).astype(np.uint8)).resize((WIDTH, HEIGHT))
        side = round(float(np.exp(rng.uniform(*np.log(DIGIT_SIDES_PX)))))
        mask = Image.fromarray(ink).resize((side, side), Image.Resampling.BICUBIC)
        left, top = rng.integers(0, (WIDTH - side, HEIGHT - side))
        photo.paste(int(rng.uniform(20, 80)), (int(left), int(top)), mask)
        jpeg = io.BytesIO()
        photo.convert("RGB").save(jpeg, "JPEG", quality=JPEG_QUALITY)
        yield jpeg.getvalue(), int(label)


def compare(folder: Path, model: Path) -> None:
    """Run each command on the same photographs and print seconds and memory."""
    peer = [sys.executable, str(Path(__file__).parent / "opencv_peer.py")]
    commands = {
        "`mnist predict-batch`": [*PREDICT_BATCH, str(folder)],
        "OpenCV, full size": [*peer, str(model), str(folder), "1"],
        "OpenCV, reduced by 4": [*peer, str(model), str(folder), "4"],
    }
    seconds: dict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, command in commands.items():
            started = time.perf_counter()
            # The exit code of `mnist` is not 0 if there is a photograph without an answer.
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False)
            seconds[name].append(time.perf_counter() - started)
            assert len(done.stdout.splitlines()) == PHOTOS
    print(machine())
    print(f"\n| {PHOTOS} JPEGs of {WIDTH}x{HEIGHT} | seconds | MB | times as long |")
    print("|---|---|---|---|")
    fastest = statistics.median(seconds["`mnist predict-batch`"])
    for name, times in seconds.items():
        ratio = statistics.median(times) / fastest
        memory = peak_memory_mb(commands[name])
        print(f"| {name} | {median_and_range(times, 2)} | {memory:.0f} | {ratio:.2f} |")


def compare_answers(data: Path) -> None:
    """Print how many photographs are read differently if they are decoded in full size."""
    model = load_model(str(SAVED_MODEL))

    def read(picture: Picture) -> int | None:
        try:
            return recognition.read_digit(model, picture).digit
        except InputError:
            return None

    same, right, right_in_full = [], [], []
    for photo, label in photos(data, COMPARED_PHOTOS):
        reduced, full = read(images.decode(photo)), read(images.decode(photo, max_reduction=1))
        same.append(reduced == full)
        right.append(reduced == label)
        right_in_full.append(full == label)
    print(f"\nthe same answer as in full size: {sum(same)} of {len(same)}")
    print(f"right: {sum(right)} reduced, {sum(right_in_full)} in full size")


if __name__ == "__main__":
    main()
