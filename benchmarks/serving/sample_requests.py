"""One request of each kind, for the soak test and the fuzzer."""

import base64
import json

import numpy as np
from PIL import Image

from benchmarks.measure import ROOT

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
