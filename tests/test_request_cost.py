"""What the largest allowed bodies cost: memory, and time in which nobody else is answered."""

import re
import threading
import time
from pathlib import Path

import pytest

from mnist_cli.server.json_body import MAX_CONTAINERS
from tests.serving import Answer, Server

pytestmark = pytest.mark.slow

MAX_BODY_BYTES = 16 * 2**20
MAX_EXTRA_MEMORY_MB = 300
MAX_DELAY_SECONDS = 0.5

PREDICT, V1, V2 = "/predict", "/v1/models/k_cnn:predict", "/v2/models/k_cnn/infer"
CLASSIFY = "/v1/models/k_cnn:classify"
PREFIXES = {
    PREDICT: b'{"picArray":[',
    V1: b'{"instances":[',
    V2: b'{"inputs":[{"name":"input","datatype":"FP32","shape":[1,784],"data":[',
    CLASSIFY: b'{"examples":[',
}


def _body(path: str, value: bytes, count: int | None = None) -> bytes:
    """A list with a value as often as possible, or `count` times."""
    prefix, suffix = PREFIXES[path], b"]}]}" if path == V2 else b"]}"
    fits = (MAX_BODY_BYTES - len(prefix) - len(suffix) + 1) // (len(value) + 1)
    return prefix + b",".join([value] * (count or fits)) + suffix


def _post(server: Server, path: str, body: bytes) -> Answer:
    return server.ask("POST", path, body, Content_Type="application/json")


def _memory_mb(server: Server, name: str) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    [kilobytes] = re.findall(rf"^{name}:\s+(\d+) kB$", status, re.MULTILINE)
    return int(kilobytes) / 1000


@pytest.fixture(scope="module")
def idle_mb(server: Server) -> float:
    """Memory of the server before the first large body."""
    assert server.ask("GET", "/").status == 200
    return _memory_mb(server, "VmRSS")


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (PREDICT, b"[]", "lists, objects and strings"),
        (PREDICT, b"[[]]", "lists, objects and strings"),
        (PREDICT, b'""', "lists, objects and strings"),
        (V1, b"[]", "lists, objects and strings"),
        (V1, b"{}", "lists, objects and strings"),
        (V1, b"[[[0]]]", "lists, objects and strings"),
        (V2, b"[[[0]]]", "lists, objects and strings"),
        (CLASSIFY, b"{}", "lists, objects and strings"),
        # Numbers, 2 and 4 bytes each.
        (PREDICT, b"0", "picArray"),
        (V1, b"0", "instances"),
        (V2, b"0", "Shape does not match"),
        (V2, b"1e0", "Shape does not match"),
    ],
)
def test_memory_of_the_largest_body(
    server: Server, idle_mb: float, path: str, value: bytes, message: str
) -> None:
    body = _body(path, value)
    Path(f"/proc/{server.process.pid}/clear_refs").write_text("5")  # resets the peak
    answer = _post(server, path, body)
    assert answer.status == 400
    assert message in answer.error
    assert _memory_mb(server, "VmHWM") - idle_mb < MAX_EXTRA_MEMORY_MB


@pytest.mark.parametrize("path", [PREDICT, V1, V2])
def test_many_lists_do_not_delay_others(server: Server, path: str) -> None:
    body, delays, done = _body(path, b"[]"), [], threading.Event()

    def check_health() -> None:
        while not done.is_set():
            started = time.monotonic()
            assert server.ask("GET", "/health").status == 200
            delays.append(time.monotonic() - started)

    others = threading.Thread(target=check_health)
    others.start()
    answer = _post(server, path, body)
    done.set()
    others.join()
    assert answer.status == 400
    assert max(delays) < MAX_DELAY_SECONDS


def test_the_number_of_lists_is_limited(server: Server) -> None:
    others = 3  # the object, the list of rows, and the quotes of its key
    for count, message in (
        (MAX_CONTAINERS - others, "picArray[1] has 0 values"),
        (10**6, "at most"),
    ):
        body = _body(PREDICT, b"[]", count).replace(b"[]", b"[0]", 1)
        answer = _post(server, PREDICT, body)
        assert answer.status == 400
        assert message in answer.error
