"""Runs `mnist serve` in a process, and sends requests over real sockets."""

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.running import MNIST, ROOT, wait_until


@dataclass(frozen=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"] == "application/json"
        assert self.body.endswith(b"\n")  # for `curl` on a terminal
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """The message of an error, the only field of its body."""
        assert self.status >= 400
        assert list(self.json) == ["error"]
        return str(self.json["error"])


@dataclass
class Server:
    process: "subprocess.Popen[str]"
    host: str
    port: int
    announcement: str
    """The line that the server prints when it is ready."""

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | str | None = None,
        *,
        json_body: Any = None,
        **headers: str,
    ) -> Answer:
        """Send one request; `Content_Type="image/png"` is a header."""
        if json_body is not None:
            body, headers = json.dumps(json_body), {"Content_Type": "application/json", **headers}
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with contextlib.closing(connection):
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())

    def ask_together(self, requests: list[bytes]) -> list[tuple[int, Any]]:
        """Send each request on its own connection, all before reading; return status and JSON."""

        def answer(connection: socket.socket) -> tuple[int, Any]:
            response = http.client.HTTPResponse(connection)
            response.begin()
            return response.status, json.loads(response.read())

        with contextlib.ExitStack() as stack:
            connections = [stack.enter_context(self.connect()) for _ in requests]
            for connection in connections:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert answer(connection) == (200, {"status": "ok"})
            for connection, request in zip(connections, requests, strict=True):
                connection.sendall(request)
            return list(map(answer, connections))

    def connect(self) -> socket.socket:
        """Open a socket, for input that no client library sends."""
        return socket.create_connection((self.host, self.port), timeout=60)

    def open_files(self) -> list[str]:
        """The targets of the open descriptors of the process."""
        names = []
        for link in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with contextlib.suppress(FileNotFoundError):  # it was closed just now
                names.append(str(link.readlink()))
        return sorted(names)

    def connections(self) -> int:
        """The number of open connections."""
        listening = 1
        return sum(name.startswith("socket:") for name in self.open_files()) - listening

    def wait_until_refused(self) -> None:
        """Wait until the server accepts no connections."""

        def is_refused() -> bool:
            try:
                self.connect().close()
            except ConnectionRefusedError:
                return True
            except ConnectionResetError:  # it was waiting when the port was closed
                pass
            return False

        wait_until(is_refused)

    def wait_for_connections(self, count: int) -> None:
        """Wait until the server has so many connections."""
        wait_until(lambda: self.connections() == count)

    def stop(self, signal_: signal.Signals = signal.SIGTERM) -> tuple[int, str]:
        """Send a signal; return the exit code and the rest of stderr."""
        self.process.send_signal(signal_)
        _, stderr = self.process.communicate(timeout=60)
        return self.process.returncode, stderr


def request_head(length: int, kind: str = "image/png", query: str = "") -> bytes:
    """The head of a request to `/predict` with a body of that length."""
    return (
        f"POST /predict{query} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n"
        f"Content-Length: {length}\r\n\r\n"
    ).encode()


@contextlib.contextmanager
def serving(
    *arguments: str | Path, env: dict[str, str] | None = None, program: Sequence[str] = MNIST
) -> Iterator[Server]:
    """Run a server on a free port, and wait until it is ready."""
    process = subprocess.Popen(
        [*program, "serve", "--port", "0", *arguments],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
    )
    assert process.stderr is not None
    with process:
        lines = list[str]()
        while " on http://" not in (line := process.stderr.readline()):
            assert line, "".join(lines)  # the server has ended
            lines.append(line)
        host, _, port = line.rpartition("//")[2].partition("/")[0].rpartition(":")
        try:
            yield Server(process, host.strip("[]"), int(port), line)
        finally:
            _end(process)


def _end(process: "subprocess.Popen[str]") -> None:
    """Let a server end by itself, so that its coverage is stored, but do not wait for clients."""
    process.terminate()
    try:
        process.wait(timeout=5)  # seconds
    except subprocess.TimeoutExpired:
        process.kill()
