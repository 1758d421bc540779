"""`mnist serve` with more connections than its limit on open files allows."""

import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running import MNIST, SAMPLES
from tests.serving import Server, request_head, serving

pytestmark = pytest.mark.slow

PNG = (SAMPLES / "MNIST-7.png").read_bytes()
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _limited(files: int, limits: str = "-S -H") -> list[str]:
    """`mnist` with a limit on open files, by default both the soft and the hard one."""
    command = "".join(f"ulimit {limit} -n {files} && " for limit in limits.split())
    return ["sh", "-c", f'{command}exec "$@"', "sh", *MNIST]


@contextlib.contextmanager
def _idle_connections(server: Server, count: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(server.connect()) for _ in range(count)]


def _assert_others_are_served(server: Server) -> None:
    for _ in range(5):
        assert server.ask("GET", "/health").status == 200
        answer = server.ask("POST", "/predict", PNG, Content_Type="image/png")
        assert answer.json["prediction"] == 7


def _cpu_seconds(server: Server) -> float:
    """The CPU time of the process so far."""
    fields = Path(f"/proc/{server.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _assert_it_does_not_spin(server: Server) -> None:
    before = _cpu_seconds(server)
    time.sleep(1)
    assert _cpu_seconds(server) - before < 0.5


def _warnings(server: Server) -> list[str]:
    code, stderr = server.stop()
    assert code == 0
    return [line for line in stderr.splitlines() if ' "' not in line]  # without the access log


def test_idle_connections_make_room_for_others() -> None:
    with serving(program=_limited(1024)) as server:
        with contextlib.ExitStack() as stack:
            kept_alive = stack.enter_context(server.connect())
            kept_alive.sendall(HEALTH)
            assert kept_alive.recv(9999).startswith(b"HTTP/1.1 200")
            idle = stack.enter_context(_idle_connections(server, 1100))
            _assert_others_are_served(server)
            kept_alive.sendall(HEALTH)
            assert kept_alive.recv(9999).startswith(b"HTTP/1.1 200")
            assert idle[0].recv(1) == b""
            idle[-1].sendall(HEALTH)
            assert idle[-1].recv(9999).startswith(b"HTTP/1.1 200")
            assert 400 < server.connections() < 500
            _assert_it_does_not_spin(server)
        server.wait_for_connections(0)
        [warning] = _warnings(server)
        assert "462 connections are open, as many as the limit on open files (ulimit -n)" in warning


def test_connections_that_are_kept_alive_make_room_for_others() -> None:
    with (
        serving("--quiet", program=_limited(108)) as server,  # there is room for four connections
        contextlib.ExitStack() as stack,
    ):
        kept_alive = stack.enter_context(_idle_connections(server, 4))
        for connection in kept_alive:
            connection.sendall(HEALTH)
            assert connection.recv(9999).startswith(b"HTTP/1.1 200")
        new = stack.enter_context(_idle_connections(server, 2))
        time.sleep(0.2)
        for connection in (*new, *kept_alive[2:]):
            connection.sendall(HEALTH)
            assert connection.recv(9999).startswith(b"HTTP/1.1 200")
        assert [connection.recv(1) for connection in kept_alive[:2]] == [b"", b""]


def test_the_soft_limit_is_raised() -> None:
    with serving(program=_limited(1024, "-S")) as server:
        with _idle_connections(server, 1100):
            _assert_others_are_served(server)
            server.wait_for_connections(1100)
        server.wait_for_connections(0)
        assert _warnings(server) == []


def test_connections_wait_while_all_others_have_requests() -> None:
    request = request_head(len(PNG), query="?multi=1") + PNG
    with (
        serving("--quiet", program=_limited(104)) as server,  # there is room for two connections
        contextlib.ExitStack() as stack,
    ):
        connections = []
        for _ in range(5):
            connections.append(stack.enter_context(server.connect()))
            connections[-1].sendall(request)
        for connection in connections:
            with connection:
                assert connection.recv(12) == b"HTTP/1.1 200"


def test_a_new_connection_does_not_inherit_events_of_a_closed_one() -> None:
    with (
        serving("--quiet", program=_limited(104)) as server,  # there is room for two connections
        server.connect() as idlest,
        server.connect(),
    ):
        server.wait_for_connections(2)
        # The server sees at once that the idlest client has disconnected, and that another waits.
        server.process.send_signal(signal.SIGSTOP)
        idlest.close()
        with server.connect() as connection:
            server.process.send_signal(signal.SIGCONT)
            time.sleep(0.2)
            connection.sendall(HEALTH)
            assert connection.recv(12) == b"HTTP/1.1 200"


def test_open_files_that_something_else_has_used_up() -> None:
    program = [
        sys.executable,
        "-c",
        "import resource, sys; from mnist_cli.server.http import connections\n"
        "from mnist_cli.__main__ import main\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))\n"
        "connections.RESERVED_DESCRIPTORS = -1000\n"  # more files than the limit allows
        "sys.exit(main())",
    ]
    with serving(program=program) as server:
        with _idle_connections(server, 100):
            for _ in range(5):
                assert server.ask("GET", "/health").status == 200
            _assert_it_does_not_spin(server)
        server.wait_for_connections(0)
        [warning] = _warnings(server)
        assert "cannot accept a connection: Too many open files" in warning
