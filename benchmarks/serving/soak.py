"""Soak test: the memory of `mnist serve` over 200,000 requests of all kinds.

    .venv/bin/python -m benchmarks.serving.soak

Prints the resident memory after each 10,000 requests. Fails if it grows by more than 5 % after the
first 10,000, or if any request is answered with status 500.
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

from benchmarks.measure import ROOT

TOTAL_REQUESTS = 200_000
REQUESTS_PER_SAMPLE = 10_000
CLIENT_THREADS = 4
MAX_GROWTH = 1.05

Request = tuple[str, str, bytes | None, str]
"""Method, path, body and Content-Type."""


def sample_requests() -> list[Request]:
    """Return one request of each kind, valid and invalid."""
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
        # Invalid requests.
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


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1000  # type: ignore[index]


def main() -> None:
    """Send the requests, print the memory, and exit with an error if it grows too much."""
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

    def send(request: Request) -> int:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(found[1])
        method, path, body, content_type = request
        headers = {"Content-Type": content_type} if content_type else {}
        local.connection.request(method, path, body, headers)
        response = local.connection.getresponse()
        response.read()
        return int(response.status)

    requests = itertools.islice(itertools.cycle(sample_requests()), TOTAL_REQUESTS)
    memory_mb = []
    with ThreadPoolExecutor(CLIENT_THREADS) as clients:
        while chunk := list(itertools.islice(requests, REQUESTS_PER_SAMPLE)):
            statuses.update(clients.map(send, chunk))
            memory_mb.append(resident_mb(server.pid))
            print(f"{statuses.total():>7,} requests  {memory_mb[-1]:6.1f} MB", flush=True)
    server.terminate()
    growth = max(memory_mb) / memory_mb[0]
    print(f"statuses: {dict(sorted(statuses.items()))}; largest growth: {growth - 1:.1%}")
    if growth > MAX_GROWTH or 500 in statuses or server.wait() != 0:
        sys.exit(
            "failed: memory grew, a request got status 500, or the server did not stop cleanly"
        )


if __name__ == "__main__":
    main()
