"""`mnist serve` with clients that send garbage, do not read, or take all connections."""

import contextlib
import re
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.running import SAMPLES
from tests.serving import Server, request_head, serving

pytestmark = pytest.mark.slow

PNG = (SAMPLES / "MNIST-7.png").read_bytes()
SMALL = b'{"picArray": [[255, 0, 255], [255, 0, 255]]}'
DOCS = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n"  # answered by a thread
HEALTH = (
    b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"  # answered by the event loop, like SMALL
)
SMALL_IMAGE = request_head(len(SMALL), "application/json", "?image=1&scores=1") + SMALL

# `mnist` with an idle timeout of 1 s.
IMPATIENT = [
    sys.executable,
    "-c",
    "import sys; from mnist_cli.server.http import connections\n"
    "connections.IDLE_TIMEOUT_SECONDS = 1\n"
    "from mnist_cli.__main__ import main; sys.exit(main())",
]


@contextlib.contextmanager
def _connection_that_reads_little(server: Server) -> Iterator[socket.socket]:
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(60)
        connection.connect((server.host, server.port))
        yield connection


@pytest.mark.parametrize("token", [None, "secret"])
@pytest.mark.parametrize(
    "requests",
    [DOCS * 2000, (DOCS + HEALTH) * 1000, DOCS * 207 + SMALL_IMAGE * 300],
    ids=["thread", "thread and event loop", "event loop"],
)
def test_a_client_that_never_reads_delays_nobody(requests: bytes, token: str | None) -> None:
    env = {"MNIST_TOKEN": token} if token else {}
    authorized = {"Authorization": f"Bearer {token}"}
    with serving("--quiet", program=IMPATIENT, env=env) as server:
        assert server.ask("GET", "/", **authorized).status == 200
        server.wait_for_connections(0)
        before = server.open_files()
        with _connection_that_reads_little(server) as connection:
            connection.sendall(requests[: 2**16])
            for _ in range(10):
                assert server.ask("GET", "/health").status == 200
                answer = server.ask("POST", "/predict", PNG, Content_Type="image/png", **authorized)
                assert answer.json["prediction"] == 7
                time.sleep(0.1)
            server.wait_for_connections(0)
        assert server.open_files() == before
        started = time.monotonic()
        assert server.stop() == (0, "")
        assert time.monotonic() - started < 10


def test_all_pipelined_requests_of_a_slow_reader_are_answered_in_order(server: Server) -> None:
    broken = b'{"picArray": [[' + b"255," * 50_000  # arrives in several parts
    kinds = [
        (HEALTH, b"200"),
        (b"\r\n" + SMALL_IMAGE, b"200"),
        (DOCS, b"200"),
        (request_head(len(broken), "application/json") + broken, b"400"),
        (request_head(len(PNG)) + PNG, b"200"),
    ]
    sent = [
        (request.replace(b"Host: localhost", b"X-Request-ID: %d" % number), status, b"%d" % number)
        for number, (request, status) in enumerate([kinds[2]] * 100 + kinds * 80)
    ]
    data = b"".join(request for request, _, _ in sent)
    last = HEALTH[:-2] + b"Connection: close\r\n\r\n"
    with _connection_that_reads_little(server) as connection, ThreadPoolExecutor() as sender:
        sending = sender.submit(connection.sendall, data + last)
        time.sleep(0.5)
        assert not sending.done()  # the server stops reading when nobody reads its answers
        answers = connection.makefile("rb").read()
    found = re.findall(rb"HTTP/1\.1 (\d+) .*?\nX-Request-Id: (\w+)", answers, re.DOTALL)
    assert found[:-1] == [(status, number) for _, status, number in sent]


def test_a_request_that_expects_100_continue(server: Server) -> None:
    expect = b"Expect: 100-continue\r\n\r\n"
    with server.connect() as connection:
        reader = connection.makefile("rb")
        connection.sendall(request_head(len(PNG))[:-2] + expect)
        assert reader.readline() + reader.readline() == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(PNG + HEALTH[:-2] + expect)  # the second one has no body
        answers = b""
        while b'"ok"' not in answers:
            answers += reader.readline()
        assert b'"prediction": 7' in answers
        # The length is over the limit, so the body is not wanted.
        connection.sendall(request_head(2**30)[:-2] + expect)
        assert reader.read().splitlines()[0] == b"HTTP/1.1 413 Request Entity Too Large"
