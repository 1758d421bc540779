"""Requests per second of `mnist serve`, compared with FastAPI, LitServe and MLServer.

    apt-get install wrk
    .venv/bin/python -m benchmarks.serving.throughput

Creates a virtual environment for the package and one for each peer. The servers take turns in each
round, all with the default model; the figures are medians. The bodies are `picArray` of a digit
with 84x85 pixels, with 28x28 pixels normalized like MNIST (which `mnist` leaves unchanged), and
with 28x28 pixels that are not normalized.
"""

import contextlib
import functools
import json
import os
import re
import signal
import socket
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

from benchmarks.measure import ROOT, SAVED_MODEL, machine, median_and_range, pss_mb
from mnist_cli.picture import Picture
from mnist_cli.preprocessing import best_crop, prepare

HERE = Path(__file__).parent
ROUNDS = 3
RUN_SECONDS = 4
WARM_UP_SECONDS = 1
CONNECTIONS = (1, 16)
COMPILED_MODEL = SAVED_MODEL / "assets.extra" / "model.tflite"
PACKAGES = {
    "mnist": [str(ROOT)],
    "fastapi": ["fastapi", "uvicorn[standard]", "ai-edge-litert", "pillow"],
    "litserve": ["litserve", "ai-edge-litert", "pillow"],
    "mlserver": ["mlserver", "ai-edge-litert", "pillow"],
}


def main() -> None:
    """Install the servers, measure them in turns, and print a line for each figure."""
    port = free_port()
    results: dict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, packages in PACKAGES.items():
            venv.create(folder / name, with_pip=True)
            pip = [str(folder / name / "bin" / "python"), "-m", "pip", "install", "-q"]
            subprocess.run([*pip, *packages], check=True)
        for _ in range(ROUNDS):
            for name, command in server_commands(folder, port).items():
                query = "?preprocess=plain" if "plain" in name else ""
                url = f"http://127.0.0.1:{port}/predict{query}"
                with running(command, port) as (start_seconds, process):
                    results[name, "start, s"].append(start_seconds)
                    requests_per_second(folder, url, bodies()["84x85"], 4, WARM_UP_SECONDS)
                    for size, body in bodies().items():
                        for connections in CONNECTIONS:
                            rate = requests_per_second(folder, url, body, connections, RUN_SECONDS)
                            results[name, f"{size}, {connections} conn., 1/s"].append(rate)
                    results[name, "memory, MB"].append(memory_mb(process.pid))
    print(machine())
    for (name, figure), values in results.items():
        print(f"{name:<32} {figure:<32} {median_and_range(values, 2)}")


def free_port() -> int:
    """Return a port that no server uses now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def server_commands(environments: Path, port: int) -> dict[str, list[str]]:
    """Return the command line of each server by its name."""

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
        # With uvloop 0.23, the parallel workers of MLServer 1.7.1 fail to start.
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
    """Run a server; yield the seconds until its first answer, and its process."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, "MODEL": str(COMPILED_MODEL)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/predict",
        bodies()["28x28, normalized"],
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
                sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}")
        yield time.perf_counter() - start, process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=10)
        # A worker that is still running would answer instead of the next server.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@functools.cache
def bodies() -> dict[str, bytes]:
    """Return the request bodies by name."""
    image = Image.open(ROOT / "samples" / "MNIST-7.png").convert("L")
    pictures = {
        "84x85": np.asarray(image),
        "28x28, normalized": best_crop(prepare(Picture(image))),
        "28x28": np.asarray(image.resize((28, 28))),
    }
    return {
        name: json.dumps({"picArray": picture.tolist()}).encode()
        for name, picture in pictures.items()
    }


def requests_per_second(
    folder: Path, url: str, body: bytes, connections: int, seconds: int
) -> float:
    """Send a body with wrk and return the rate; exit if an answer has an error status."""
    script = folder / "post.lua"
    script.write_text(
        'wrk.method = "POST"\n'
        'wrk.headers["Content-Type"] = "application/json"\n'
        f"wrk.body = [==[{body.decode()}]==]\n"
    )
    report = subprocess.check_output(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), url], text=True
    )
    if "Non-2xx" in report:
        sys.exit(report)
    return float(re.search(r"Requests/sec: +([\d.]+)", report)[1])  # type: ignore[index]


def memory_mb(session: int) -> float:
    """Return the memory of all processes of a session, which is that of one server."""
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has just ended
            if os.getsid(int(folder.name)) == session:
                pids.append(int(folder.name))
    return sum(map(pss_mb, pids))


if __name__ == "__main__":
    main()
