"""Whether the memory of `mnist serve` stays flat over 200,000 requests of all kinds.

    .venv/bin/python benchmarks/serving/soak.py

It tells the resident memory after each 10,000 requests, and fails if it grew by 5 % after the first
10,000, or if anything was answered with a 500.
"""

import base64
import http.client
import itertools
import json
import os
import re
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).parents[2]
REQUESTS = 200_000
PORTION = 10_000
CLIENTS = 4
GROWTH = 1.05

Request = tuple[str, str, bytes | None, str]
"""Method, path, body and its type."""


def kinds() -> list[Request]:
    """What is asked for, good and bad."""
    png = (ROOT / "samples" / "MNIST-7.png").read_bytes()
    gray = Image.open(ROOT / "samples" / "MNIST-7.png").convert("L")
    large, small = (
        {"picArray": np.asarray(gray.resize(size)).tolist()} for size in ((84, 85), (28, 28))
    )
    picture = {"b64": base64.b64encode(png).decode()}
    tensor = {"name": "input", "shape": [1, 784], "datatype": "FP32", "data": [0.5] * 784}
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="7"\r\n\r\n' + png
    models = ("t_ffnn", "t_cnn", "e_ffnn", "e_cnn", "k_ffnn", "k_cnn")

    def post(path: str, body: object) -> Request:
        return "POST", path, json.dumps(body).encode(), "application/json"

    return [
        *(("GET", path, None, "") for path in ("/", "/health", "/metrics", "/docs", "/draw")),
        *(("GET", path, None, "") for path in ("/openapi.json", "/v2", "/v1/models/t_cnn")),
        post("/predict", large),
        post("/predict?scores=1&image=1", small),
        *(post(f"/predict?model={model}", small) for model in models),
        ("POST", "/predict", png, "image/png"),
        ("POST", "/predict", form + b"\r\n--x--\r\n", "multipart/form-data; boundary=x"),
        post("/v1/models/t_cnn:predict", {"instances": [picture]}),
        post("/v1/models/t_cnn:classify", {"examples": [{"input": picture}]}),
        post("/v2/models/t_cnn/infer", {"inputs": [tensor]}),
        # What is wrong in one way or another.
        ("GET", "/nope", None, ""),
        ("GET", "/predict", None, ""),
        ("POST", "/predict", b"{" * 1000, "application/json"),
        ("POST", "/predict", png[:300], "image/png"),
        ("POST", "/predict", b"7", "text/plain"),
        post("/predict", {"picArray": [[0, 1], [2]]}),
        post("/predict", {"picArray": [[255] * 28] * 28}),
        post("/predict?model=nope", small),
        post("/v2/models/t_cnn/infer", {"inputs": [tensor | {"shape": [2, 784]}]}),
    ]


def resident(pid: int) -> float:
    """The memory of a process, in MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1000  # type: ignore[index]


def main() -> None:
    """Ask, and watch."""
    server = subprocess.Popen(
        [sys.executable, "-m", "mnist_cli", "serve", "--port", "0", "--verbose"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr
    while not (found := re.search(r" on http://([^/]+)/", server.stderr.readline())):
        pass
    threading.Thread(target=server.stderr.read, daemon=True).start()
    local = threading.local()
    statuses: Counter[int] = Counter()

    def ask(request: Request) -> int:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(found[1])
        method, path, body, kind = request
        local.connection.request(method, path, body, {"Content-Type": kind} if kind else {})
        response = local.connection.getresponse()
        response.read()
        return int(response.status)

    requests = itertools.islice(itertools.cycle(kinds()), REQUESTS)
    memory = []
    with ThreadPoolExecutor(CLIENTS) as clients:
        while portion := list(itertools.islice(requests, PORTION)):
            statuses.update(clients.map(ask, portion))
            memory.append(resident(server.pid))
            print(f"{statuses.total():>7,} requests  {memory[-1]:6.1f} MB", flush=True)
    server.terminate()
    growth = max(memory) / memory[0]
    print(f"statuses {dict(sorted(statuses.items()))}; grown by {growth - 1:.1%} at most")
    if growth > GROWTH or 500 in statuses or server.wait() != 0:
        sys.exit("failed")


if __name__ == "__main__":
    main()
