"""Requests a second of `mnist serve` and of its peers, side by side, with wrk on loopback.

    apt-get install wrk
    .venv/bin/python benchmarks/serving/bench.py

It makes a virtual environment for the package and one for each peer. The servers take turns in
each round; medians are told. All serve the default model; bodies are `picArray` of a digit in
84x85, and in 28x28: framed as MNIST is, so that our framing leaves it, and reduced as it was, so
that it has to be framed.
"""

import contextlib
import functools
import json
import os
import platform
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mnist_cli import reshape

ROOT = Path(__file__).parent.parent.parent
ROUNDS = 3
SECONDS = 4
MODEL = ROOT / "saved_models" / "k_cnn" / "assets.extra" / "model.tflite"


HERE = ROOT / "benchmarks" / "serving"
PACKAGES = {
    "mnist": [str(ROOT)],
    "fastapi": ["fastapi", "uvicorn[standard]", "ai-edge-litert", "pillow"],
    "litserve": ["litserve", "ai-edge-litert", "pillow"],
    "mlserver": ["mlserver", "ai-edge-litert", "pillow"],
}


def commands(environments: Path, port: int) -> dict[str, list[str]]:
    """The servers, by name."""

    def program(environment: str, name: str) -> str:
        return str(environments / environment / "bin" / name)

    mnist = [program("mnist", "mnist"), "serve", "--quiet", "--port", str(port)]
    fastapi = [
        *(program("fastapi", "uvicorn"), "--app-dir", str(HERE), "fastapi_peer:app"),
        *("--port", str(port), "--no-access-log", "--log-level", "error"),
    ]
    litserve = [program("litserve", "python"), str(HERE / "litserve_peer.py"), str(port)]
    mlserver = [
        *("env", f"MLSERVER_HTTP_PORT={port}", f"MLSERVER_GRPC_PORT={port + 1}"),
        *(f"MLSERVER_METRICS_PORT={port + 2}", f"MLSERVER_METRICS_DIR={environments / 'metrics'}"),
        # The workers of MLServer 1.7.1 fail at their start with uvloop 0.23.
        *("MLSERVER_PARALLEL_WORKERS=0", program("mlserver", "mlserver")),
        *("start", str(HERE / "mlserver")),
    ]
    return {
        "mnist serve": mnist,
        "mnist serve, plain": mnist,
        "FastAPI + uvicorn": fastapi,
        "LitServe": [*litserve, "1"],
        "MLServer": mlserver,
        "mnist serve --workers 2": [*mnist, "--workers", "2"],
        "FastAPI + uvicorn --workers 2": [*fastapi, "--workers", "2"],
        "LitServe, 2 workers": [*litserve, "2"],
    }


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[tuple[float, "subprocess.Popen[bytes]"]]:
    """Start a server; yield the seconds until it answered, and its process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "MODEL": str(MODEL)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict",
        _bodies()["28x28, framed"],
        {"Content-Type": "application/json"},
    )
    try:
        while True:
            try:
                urllib.request.urlopen(request).read()
                break
            except OSError:
                time.sleep(0.005)
            if process.poll() is not None:
                sys.exit(f"{' '.join(command)} ended with {process.returncode}")
        yield time.perf_counter() - start, process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        # A worker that is left behind would answer in the place of the next server.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@functools.cache
def _bodies() -> dict[str, bytes]:
    image = Image.open(ROOT / "samples" / "MNIST-7.png").convert("L")
    pictures = {
        "84x85": np.asarray(image),
        "28x28, framed": reshape.to_28x28(np.asarray(image)),
        "28x28": np.asarray(image.resize((28, 28))),
    }
    return {
        name: json.dumps({"picArray": picture.tolist()}).encode()
        for name, picture in pictures.items()
    }


def _wrk(folder: Path, url: str, body: bytes, connections: int, seconds: int = SECONDS) -> float:
    script = folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [==[{body.decode()}]==]\n"
    )
    told = subprocess.check_output(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url], text=True
    )
    if "Non-2xx" in told:
        sys.exit(told)
    return float(re.search(r"Requests/sec: +([\d.]+)", told)[1])  # type: ignore[index]


def _memory(process: "subprocess.Popen[bytes]") -> float:
    """The memory of all processes of a server in MB, of shared pages their part (PSS)."""
    kilobytes = 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if os.getsid(int(folder.name)) == process.pid:
                rollup = (folder / "smaps_rollup").read_text()
                kilobytes += int(re.search(r"^Pss:\s+(\d+)", rollup, re.M)[1])  # type: ignore[index]
    return kilobytes / 1000


def main() -> None:
    """Measure and print."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    results: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, packages in PACKAGES.items():
            venv.create(folder / name, with_pip=True)
            pip = [str(folder / name / "bin" / "python"), "-m", "pip", "install", "-q"]
            subprocess.run([*pip, *packages], check=True)
        for _ in range(ROUNDS):
            for name, command in commands(folder, port).items():
                query = "?preprocess=plain" if "plain" in name else ""
                url = f"http://127.0.0.1:{port}/predict{query}"
                with running(command, port) as (seconds, process):
                    results[name, "start, s"].append(seconds)
                    _wrk(folder, url, _bodies()["84x85"], 4, seconds=1)
                    for size, body in _bodies().items():
                        for connections in (1, 16):
                            rate = _wrk(folder, url, body, connections)
                            results[name, f"{size}, {connections} conn., 1/s"].append(rate)
                    results[name, "memory, MB"].append(_memory(process))
    print(f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    for (name, what), values in results.items():
        low, high = min(values), max(values)
        print(f"{name:<32} {what:<22} {statistics.median(values):9.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
