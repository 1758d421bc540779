"""Time of an inference of `k_cnn` in LiteRT, ONNX Runtime and OpenVINO, on one thread.

    pip install tf2onnx onnxruntime openvino
    python -m benchmarks.inference --data DIR

`DIR` contains the IDX files of MNIST. The SavedModel is converted to ONNX, and quantized to 8 bits
by ONNX Runtime: dynamically, and statically with 500 validation images. The runtimes take turns.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import openvino
from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static

from benchmarks.measure import SAVED_MODEL, convert_to_onnx, machine, parse_data_folder
from mnist_cli import reshape
from mnist_cli.arrays import Floats
from mnist_cli.idx import read_split
from mnist_cli.loader import load_model

Runtime = Callable[[Floats], Floats]
"""From float32 [N, 784] to float32 [N, 10]."""

VALIDATION_IMAGES, CALIBRATION_IMAGES = 5_000, 500
BATCH_SIZES = (1, 16)
ROUNDS = 15
ROUND_SECONDS = 0.3


class Images(CalibrationDataReader):  # type: ignore[misc]
    """Feeds images, one at a time, to the static quantization."""

    def __init__(self, batch: Floats) -> None:
        self._rows = iter(batch)

    def get_next(self) -> dict[str, Floats] | None:
        row = next(self._rows, None)
        return None if row is None else {"input": row[np.newaxis]}


def main() -> None:
    """Measure all runtimes and print a table."""
    data = parse_data_folder("benchmarks.inference", "Compare the time of an inference.")
    inks = read_split(data, "train")[0][-VALIDATION_IMAGES:]
    batch = reshape.to_model_input([255 - ink for ink in inks])
    with tempfile.TemporaryDirectory() as folder:
        runtimes = _runtimes(Path(folder), batch)
        times: dict[str, list[list[float]]] = {name: [[] for _ in BATCH_SIZES] for name in runtimes}
        for _ in range(ROUNDS):
            for name, runtime in runtimes.items():
                for size, measured in zip(BATCH_SIZES, times[name], strict=True):
                    measured.append(_microseconds(runtime, batch[:size]))
        expected = runtimes["ONNX Runtime, float32"](batch).argmax(axis=1)
        print(f"{machine()}\n")
        columns = (f"batch of {size}, us per image" for size in BATCH_SIZES)
        print("| |", " | ".join(columns), f"| answers changed of {VALIDATION_IMAGES:,} |")
        print("|---" * (len(BATCH_SIZES) + 2) + "|")
        for name, runtime in runtimes.items():
            medians = (f"{statistics.median(measured):.1f}" for measured in times[name])
            changed = np.count_nonzero(runtime(batch).argmax(axis=1) != expected)
            print(f"| {name} | {' | '.join(medians)} | {changed} |")


def _runtimes(folder: Path, images: Floats) -> dict[str, Runtime]:
    """Return the runtimes by name, each with one thread."""
    float32, dynamic, static = (
        folder / f"{name}.onnx" for name in ("float32", "dynamic", "static")
    )
    convert_to_onnx(SAVED_MODEL, float32)
    quantize_dynamic(float32, dynamic)
    quantize_static(float32, static, Images(images[:CALIBRATION_IMAGES]))
    return {
        "LiteRT, 8-bit weights (`mnist`)": load_model(str(SAVED_MODEL)).runtime.predict_proba,
        "ONNX Runtime, float32": _onnx_runtime(float32),
        "ONNX Runtime, int8 dynamic": _onnx_runtime(dynamic),
        "ONNX Runtime, int8 static": _onnx_runtime(static),
        "OpenVINO, float32": _openvino(float32),
        "OpenVINO, int8 static": _openvino(static),
    }


def _onnx_runtime(file: Path) -> Runtime:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    return lambda batch: np.asarray(session.run(["output"], {"input": batch})[0], np.float32)


def _openvino(file: Path) -> Runtime:
    core = openvino.Core()
    settings = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}
    requests = {}

    def predict(batch: Floats) -> Floats:
        # A fixed shape is faster than a dynamic one.
        if len(batch) not in requests:
            model = core.read_model(file)
            model.reshape([len(batch), 784])
            compiled = core.compile_model(model, "CPU", settings)
            requests[len(batch)] = compiled.create_infer_request()
        return np.asarray(requests[len(batch)].infer([batch], share_inputs=True)[0], np.float32)

    return predict


def _microseconds(runtime: Runtime, batch: Floats) -> float:
    """Return the time per image in microseconds."""
    runtime(batch)
    started, calls = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - started) < ROUND_SECONDS:
        runtime(batch)
        calls += 1
    return 1e6 * elapsed / calls / len(batch)


if __name__ == "__main__":
    main()
