"""Chunked bodies under a WSGI server other than waitress, the development server of Werkzeug."""

import contextlib
import gzip
import http.client
import json
import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings
from tests.running import SAMPLES

LIMIT = 2**20
PNG = (SAMPLES / "MNIST-7.png").read_bytes()
INSTANCES = json.dumps({"instances": [[0] * 784]}).encode()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = make_server("127.0.0.1", 0, create_app(Settings(max_body=LIMIT)), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def _post(port: int, path: str, body: bytes, **headers: str) -> tuple[int, str]:
    """Send a body in chunks."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    chunks = (body[start : start + 65536] for start in range(0, len(body), 65536))
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with contextlib.closing(connection):
        connection.request("POST", path, chunks, named, encode_chunked=True)
        response = connection.getresponse()
        return response.status, response.read().decode()


REQUESTS = [
    ("/predict", PNG, b"\0", "image/png"),
    ("/v1/models/k_cnn:predict", INSTANCES, b" ", "application/json"),
]


@pytest.fixture(autouse=True)
def _no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("ERROR", "werkzeug")


@pytest.mark.parametrize(("path", "body", "fill", "kind"), REQUESTS)
def test_a_chunked_body_up_to_the_limit(
    port: int, path: str, body: bytes, fill: bytes, kind: str
) -> None:
    for padding in (0, LIMIT - len(body)):
        status, answer = _post(port, path, body + fill * padding, Content_Type=kind)
        assert status == 200, answer


@pytest.mark.parametrize("excess", [1, 2**16, 2 * LIMIT])
@pytest.mark.parametrize(("path", "body", "fill", "kind"), REQUESTS)
def test_a_chunked_body_over_the_limit(
    port: int, path: str, body: bytes, fill: bytes, kind: str, excess: int
) -> None:
    padded = body + fill * (LIMIT - len(body) + excess)
    status, answer = _post(port, path, padded, Content_Type=kind)
    assert (status, json.loads(answer)) == (
        413,
        {"error": f"the body is larger than {LIMIT} bytes"},
    )


def test_a_chunked_and_compressed_body(port: int) -> None:
    headers = {"Content_Type": "image/png", "Content_Encoding": "gzip"}
    assert _post(port, "/predict", gzip.compress(PNG), **headers)[0] == 200
    assert _post(port, "/predict", gzip.compress(PNG + bytes(LIMIT)), **headers)[0] == 413
