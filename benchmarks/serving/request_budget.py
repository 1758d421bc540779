"""Where the time of one request goes: microseconds of each step, on one connection.

    apt-get install wrk
    python -m benchmarks.serving.request_budget

The steps are timed one by one in this process. The whole request, a health check and a constant
answer of plain waitress, which is the floor, are measured with wrk.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.measure import machine
from benchmarks.serving.throughput import bodies, free_port, requests_per_second, running
from mnist_cli import reshape
from mnist_cli.api import DigitModel
from mnist_cli.loader import load_model
from mnist_cli.picture import Picture
from mnist_cli.predictor import Predictor
from mnist_cli.preprocessing import prepare_clean
from mnist_cli.recognition import read_prepared
from mnist_cli.server.app import create_app
from mnist_cli.server.json_body import json_response
from mnist_cli.server.native import decode_pixels

ROUNDS, RUN_SECONDS, STEP_SECONDS = 3, 2, 0.2
CONSTANT_APP = """
import sys
from waitress import serve
BODY = b'{"prediction": 7, "probability": 100.0, "digitness": 1.0, "model": "k_cnn"}'
HEADERS = [("Content-Type", "application/json"), ("Content-Length", str(len(BODY)))]
def app(environ, start_response):
    environ["wsgi.input"].read()
    start_response("200 OK", HEADERS)
    return [BODY]
serve(app, port=int(sys.argv[1]), threads=1)
"""


def main() -> None:
    """Measure all steps and print a table for each body."""
    port = free_port()
    servers = {
        "floor": [sys.executable, "-c", CONSTANT_APP, str(port)],
        "mnist": [sys.executable, "-m", "mnist_cli", "serve", "--quiet", "--port", str(port)],
    }
    wire: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for _ in range(ROUNDS):
            for name, command in servers.items():
                with running(command, port):
                    for size, body in bodies().items():
                        url = f"http://127.0.0.1:{port}/predict"
                        rate = requests_per_second(Path(temporary), url, body, 1, RUN_SECONDS)
                        wire.setdefault((name, size), []).append(1e6 / rate)
    print(machine())
    for size, body in bodies().items():
        whole, floor = (statistics.median(wire[name, size]) for name in ("mnist", "floor"))
        steps = measure_steps(body)
        rest = whole - floor - sum(steps.values())
        print(f"\n| {size} | us | share |\n|---|---|---|")
        for step, us in {"waitress with a constant answer": floor, **steps, "rest": rest}.items():
            print(f"| {step} | {us:.0f} | {100 * us / whole:.0f} % |")
        print(f"| whole request | {whole:.0f} | 100 % |")


def measure_steps(body: bytes) -> dict[str, float]:
    """Return the microseconds of each step of a request after waitress has parsed it."""
    app = create_app()
    model = load_model("k_cnn")
    predictor = Predictor(DigitModel(model))
    pixels = decode_pixels(body)
    prepared = prepare_clean(Picture.from_pixels(pixels))
    [digit] = read_prepared(model, [prepared])
    assert digit
    record = predictor.record(digit)
    batch = reshape.to_model_input([candidate.image for candidate in prepared.candidates])
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/health",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "8000",
        "HTTP_HOST": "localhost:8000",
        "wsgi.url_scheme": "http",
        "wsgi.input": open(os.devnull, "rb"),
        "wsgi.errors": sys.stderr,
    }

    def flask() -> None:
        b"".join(app(dict(environ), lambda *_: lambda _: None))

    with app.app_context():
        times = {
            "JSON to pixels": _microseconds(lambda: decode_pixels(body)),
            "preprocessing": _microseconds(lambda: prepare_clean(Picture.from_pixels(pixels))),
            "inference in LiteRT": _microseconds(lambda: model.runtime.predict_proba(batch)),
            "scores to a record": _microseconds(lambda: predictor.record(digit)),
            "record to a response": _microseconds(lambda: json_response(record)),
        }
        read = _microseconds(lambda: read_prepared(model, [prepared]))
    times["scores to a record"] += max(0.0, read - times["inference in LiteRT"])
    times["Flask, with metrics and headers"] = _microseconds(flask)
    return times


def _microseconds(step: Callable[[], Any]) -> float:
    """Return the time of a step in microseconds: the median of short runs."""
    step()
    runs = []
    end = time.perf_counter() + STEP_SECONDS
    while (started := time.perf_counter()) < end:
        for _ in range(20):
            step()
        runs.append((time.perf_counter() - started) / 20)
    return 1e6 * statistics.median(runs)


if __name__ == "__main__":
    main()
