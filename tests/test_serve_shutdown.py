"""`mnist serve` answers all requests that were sent before a signal to stop."""

import contextlib
import http.client
import json
import signal
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.running import IMPORT_MAIN, SAMPLES
from tests.serving import Server, request_head, serving

pytestmark = pytest.mark.slow

PNG = (SAMPLES / "MNIST-7.png").read_bytes()
PIXELS = json.dumps({"picArray": [[255, 0, 255], [255, 0, 255]]}).encode()
REQUESTS = [  # answered by a thread and by the event loop
    request_head(len(PNG)) + PNG,
    request_head(len(PIXELS), "application/json") + PIXELS,
]
JSON = {"Content-Type": "application/json"}
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("delay", [0, 0.02])
@pytest.mark.parametrize("is_connected", [False, True], ids=["new", "open"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_requests_sent_before_the_signal_are_answered(
    workers: str, is_connected: bool, delay: float
) -> None:
    with (
        serving("--quiet", "--workers", workers) as server,
        contextlib.ExitStack() as stack,
    ):
        connections = []
        if is_connected:
            connections = [stack.enter_context(server.connect()) for _ in range(40)]
            time.sleep(0.2)  # the server accepts them
        for number in range(40):
            if not is_connected:
                connections.append(stack.enter_context(server.connect()))
            connections[number].sendall(REQUESTS[number % 2])
        time.sleep(delay)
        server.process.send_signal(signal.SIGTERM)
        for connection in connections:
            answer = connection.makefile("rb").read()  # until the server closes the connection
            assert answer.startswith(b"HTTP/1.1 200 "), answer
            assert answer.count(b"HTTP/1.1") == 1
        assert server.process.wait(timeout=60) == 0


def test_pipelined_requests_sent_before_the_signal_are_answered() -> None:
    with serving("--quiet") as server, server.connect() as connection:
        connection.sendall(b"".join(REQUESTS) * 50)
        server.process.send_signal(signal.SIGTERM)
        answers = connection.makefile("rb").read()
        assert answers.count(b"HTTP/1.1 200 OK") == 100
        assert answers.count(b"Connection: close") == 1
        assert server.process.wait(timeout=60) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_clients_under_load_get_no_reset(workers: str) -> None:
    def ask_until_refused(number: int, server: Server) -> int:
        """Send requests on connections that are kept alive; return the number of answers."""
        answers = 0
        while True:
            connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
            with contextlib.closing(connection):
                requests = 0
                is_kept_alive = True
                while is_kept_alive:
                    try:
                        connection.request("POST", "/predict", PIXELS, JSON)
                        response = connection.getresponse()
                    except OSError:
                        # Refused, or still in the backlog when the listening socket was closed.
                        assert requests == 0
                        return answers
                    assert response.status == 200
                    is_kept_alive = not response.will_close
                    response.read()
                    requests += 1
                    answers += 1
                    time.sleep(0.2 * (number % 2))  # half of the clients are idle for a moment

    with serving("--quiet", "--workers", workers) as server, ThreadPoolExecutor(16) as clients:
        answers = [clients.submit(ask_until_refused, number, server) for number in range(16)]
        time.sleep(0.7)
        server.process.send_signal(signal.SIGTERM)
        assert all(answer.result() for answer in answers)
        assert server.process.wait(timeout=60) == 0


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_answers_while_draining_close_the_connection(version: bytes) -> None:
    ready = b"GET /v2/health/ready HTTP/%s\r\nConnection: keep-alive\r\n\r\n" % version
    with serving("--quiet") as server, server.connect() as busy, server.connect() as idle:
        busy.sendall(REQUESTS[0][:-9])
        idle.sendall(ready)
        assert b" 200 OK" in idle.recv(9999)
        server.process.send_signal(signal.SIGTERM)
        server.wait_until_refused()
        idle.sendall(ready)
        answer = idle.makefile("rb").read()
        assert answer.startswith(b"HTTP/%s 503 " % version) and b"it is shutting down" in answer
        assert b"\r\nConnection: close\r\n" in answer and answer.count(b"\r\nConnection:") == 1
        busy.sendall(REQUESTS[0][-9:])
        assert busy.makefile("rb").read().startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(timeout=60) == 0


def test_a_request_that_never_ends_delays_the_shutdown_for_a_limited_time() -> None:
    program = (
        "from mnist_cli.server.http import runner; runner.DRAIN_TIMEOUT_SECONDS = 1\n" + IMPORT_MAIN
    )
    with (
        serving("--quiet", program=[sys.executable, "-c", program]) as server,
        server.connect() as busy,
    ):
        busy.sendall(REQUESTS[0][:-9])
        assert server.stop() == (0, "")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_idle_connections_delay_the_shutdown_by_a_second_only(workers: str) -> None:
    with serving("--quiet", "--workers", workers) as server, server.connect() as idle:
        idle.sendall(HEALTH)
        assert idle.recv(12) == b"HTTP/1.1 200"
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0


def test_new_connections_are_refused_while_workers_drain() -> None:
    with serving("--quiet", "--workers", "2") as server, server.connect() as busy:
        busy.sendall(REQUESTS[0][:-9])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        server.wait_until_refused()
        busy.sendall(REQUESTS[0][-9:])
        assert busy.recv(12) == b"HTTP/1.1 200"


def test_a_client_that_sends_more_than_it_may_keeps_its_last_answer() -> None:
    with serving("--quiet") as server, server.connect() as connection:
        connection.sendall(REQUESTS[0][:-9])
        time.sleep(0.2)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        connection.sendall(REQUESTS[0][-9:])
        connection.settimeout(5)
        while connection.recv(1, socket.MSG_PEEK) != b"H":
            pass
        connection.sendall(HEALTH * 100)  # after the answer that closes the connection
        answer = connection.makefile("rb").read()
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.count(b"HTTP/1.1") == 1
