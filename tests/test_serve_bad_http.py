"""`mnist serve` with input that is not valid HTTP: an answer, at most one line in the log."""

import re
import socket
import ssl
import struct
import time

import pytest

from tests.running import SAMPLES
from tests.serving import request_head, serving

PNG = (SAMPLES / "MNIST-7.png").read_bytes()
SMALL = b'{"picArray": [[255, 0, 255], [255, 0, 255]]}'
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
CHUNKED = b"POST /predict HTTP/%s\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n"

INVALID = {
    "Content-Length with 5,000 digits": (
        b"POST /predict HTTP/1.1\r\nContent-Length: " + b"1" * 5000 + b"\r\n\r\n",
        "The URL or Content-Length is invalid",
    ),
    "URL": (b"GET http://[::1/ HTTP/1.1\r\n\r\n", "The URL or Content-Length is invalid"),
    "Content-Length and Transfer-Encoding": (
        CHUNKED % b"1.1" + b"Content-Length: 5\r\n\r\n0\r\n\r\n",
        "Content-Length and Transfer-Encoding exclude each other",
    ),
    "Transfer-Encoding in HTTP/1.0": (
        CHUNKED % b"1.0" + b"\r\n0\r\n\r\n",
        "Transfer-Encoding requires HTTP/1.1",
    ),
    "TLS": (b"\x16\x03\x01\x02\x00\x01", "a TLS handshake on an HTTP port"),
    "headers of 300 KiB": (
        b"GET /health HTTP/1.1\r\nX-A: " + b"a" * 300 * 2**10 + b"\r\n\r\n",
        "exceeds max_header of 262144",
    ),
    "unknown Transfer-Encoding": (
        CHUNKED.replace(b"chunked", b"gzip") % b"1.1" + b"\r\n",
        "Transfer-Encoding requested is not supported.",
    ),
    "one byte of TLS": (b"\x16", "a TLS handshake on an HTTP port"),
}


STATUSES = {
    "headers of 300 KiB": "431 Request Header Fields Too Large",
    "unknown Transfer-Encoding": "501 Not Implemented",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_request_is_answered_and_closes_the_connection(name: str) -> None:
    request, message = INVALID[name]
    with serving() as server:
        with server.connect() as connection:
            connection.sendall(request + HEALTH)
            answer = connection.makefile("rb").read()
        # What follows is not taken for a request.
        [status] = re.findall(rb"HTTP/1\.[01] (\d+ .*)\r\n", answer)
        assert status.decode() == STATUSES.get(name, "400 Bad Request")
        assert re.findall(rb"\r\nConnection: (.*)\r\n", answer) == [b"close"]
        assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
        assert f'{{"error": "{status[4:].decode()}: {message}'.encode() in answer
        metrics = server.ask("GET", "/metrics").body.decode()
        code, log = server.stop()
        assert code == 0
        *warnings, line, _ = log.splitlines()
        [identifier] = re.findall(rb"(?i)\r\nX-Request-ID: (.*)\r\n", answer)
        known = "POST /predict" if "digits" in name else "- -" if "of 300 KiB" in name else ".*"
        text = rf'.*Z 127\.0\.0\.1 "{known}" {status[:3].decode()} [\d.]+ ms {identifier.decode()}'
        assert re.fullmatch(text, line)
        count = f'mnist_requests_total{{route="none",status="{status[:3].decode()}"}} 1.0\n'
        assert count in metrics
        if "TLS" in name:
            warning = f"mnist: warning: 127.0.0.1: {message}; use http:// instead of https://"
            assert warnings == [warning]
            assert '"- -"' in line
        else:
            assert warnings == []


def test_https_fails_at_once() -> None:
    context = ssl.create_default_context()
    with serving() as server:
        started = time.monotonic()
        with server.connect() as connection, pytest.raises(ssl.SSLError):
            context.wrap_socket(connection, server_hostname="localhost")
        assert time.monotonic() - started < 5
        assert server.stop()[1].count("TLS handshake") == 1


def test_clients_that_disconnect_leave_nothing() -> None:
    picture = request_head(len(PNG)) + PNG
    pixels = request_head(len(SMALL), "application/json") + SMALL
    expecting = request_head(999)[:-2] + b"Expect: 100-continue\r\n\r\n"
    docs = b"GET /docs HTTP/1.1\r\n\r\n"
    beginnings = [
        *(b"", b"P", picture[:50], picture[:-5], picture * 3, pixels * 3),
        *(expecting, expecting + b"x", docs * 50, b"hello\r\n\r\n"),
        request_head(2**30) + bytes(10**5),
        (docs + pixels + picture) * 2 + b"GET",
    ]
    with serving("--quiet") as server:
        server.ask("GET", "/")
        server.wait_for_connections(0)
        before = server.open_files()
        for delay in (0, 0.003, 0.02):
            for data in beginnings * 2:
                with server.connect() as connection:
                    connection.sendall(data)
                    time.sleep(delay)
                with server.connect() as connection:
                    connection.sendall(data)
                    time.sleep(delay)
                    no_linger = struct.pack("ii", 1, 0)  # close() sends a reset
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, no_linger)
        server.wait_for_connections(0)
        assert server.open_files() == before
        assert server.stop() == (0, "")
