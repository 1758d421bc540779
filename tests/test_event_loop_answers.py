"""`mnist serve` answers each request as the app alone does, in its event loop or in a thread."""

import gzip
import json
from collections.abc import Iterator

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image

from mnist_cli.server.app import create_app
from mnist_cli.server.settings import LOCAL_HOSTS, Settings
from tests.running import SAMPLES
from tests.serving import Server

SEVEN = SAMPLES / "MNIST-7.png"
PIXELS = np.asarray(Image.open(SEVEN).convert("L"))
BODY = json.dumps({"picArray": PIXELS.tolist()}).encode()
JSON = "application/json"


@pytest.fixture(scope="module")
def app() -> Iterator[FlaskClient]:
    with create_app(Settings(allowed_hosts=LOCAL_HOSTS)).test_client() as client:
        yield client


def _check(
    server: Server, app: FlaskClient, method: str, path: str, body: bytes, headers: dict[str, str]
) -> int:
    """Send a request to both, compare the answers, and return the status."""
    answer = server.ask(method, path, body, **headers)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    expected = app.open(path, method=method, data=body, headers=named)
    assert (answer.status, answer.body) == (expected.status_code, expected.data)
    return answer.status


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (JSON, 200),
        ("Application/JSON ; charset=utf-8", 200),
        ("application/jsonfoo", 415),
        ("application/json+x", 415),
        ("text/json", 415),
        ("", 415),
        ("image/png", 400),
        ("multipart/form-data; boundary=x", 400),
    ],
)
def test_content_types(server: Server, app: FlaskClient, content_type: str, status: int) -> None:
    for query in ("", "?model=k_cnn"):
        headers = {"Content_Type": content_type}
        assert _check(server, app, "POST", f"/predict{query}", BODY, headers) == status


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("scores=1&image=true", 200),
        ("preprocess=plain", 200),
        ("preprocess=auto&preprocess=plain", 200),
        ("preprocess=", 400),
        ("preprocess=PLAIN", 400),
        ("scores=yes", 400),
        ("multi=1", 200),
        ("multi=1&preprocess=plain", 400),
        ("m%6Fdel=t_ffnn", 200),
        ("model=", 404),
        ("unknown=1", 200),
        ("%ff=%00", 200),
    ],
)
def test_queries(server: Server, app: FlaskClient, query: str, status: int) -> None:
    headers = {"Content_Type": JSON}
    assert _check(server, app, "POST", f"/predict?{query}", BODY, headers) == status


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/predict/", BODY, {}, 200),
        ("POST", "/pr%65dict", BODY, {}, 200),
        ("POST", "/Predict", BODY, {}, 404),
        ("PUT", "/predict", BODY, {}, 405),
        ("GET", "/predict", b"", {}, 405),
        ("POST", "/predict", b"", {}, 400),
        ("POST", "/predict", BODY[:-2], {}, 400),
        ("POST", "/predict", b'{"picArray": [[0, 256]]}', {}, 400),
        ("POST", "/predict", b'{"picArray": [[7, 7], [7, 7]]}', {}, 400),
        ("POST", "/predict", SEVEN.read_bytes(), {"Content_Type": "image/png"}, 200),
        ("POST", "/predict", gzip.compress(BODY), {"Content_Encoding": "gzip"}, 200),
        ("POST", "/predict", BODY, {"Content_Encoding": "identity"}, 200),
        ("POST", "/predict", BODY, {"Content_Encoding": "br"}, 415),
        ("POST", "/predict", BODY, {"Host": "evil.example"}, 403),
    ],
)
def test_paths_bodies_and_hosts(
    server: Server,
    app: FlaskClient,
    method: str,
    path: str,
    body: bytes,
    headers: dict[str, str],
    status: int,
) -> None:
    assert _check(server, app, method, path, body, {"Content_Type": JSON, **headers}) == status


def test_random_pictures(server: Server, app: FlaskClient) -> None:
    random = np.random.default_rng(14)
    for _ in range(30):
        ink, paper = random.integers(0, 256, 2)
        seven = np.where(PIXELS < 128, ink, paper)
        noise = random.integers(0, 256, random.integers(1, 60, 2))
        pixels = seven if random.random() < 0.7 else noise
        body = json.dumps({"picArray": pixels.tolist()}).encode()
        _check(server, app, "POST", "/predict?scores=1", body, {"Content_Type": JSON})
