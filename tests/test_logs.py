"""Access log and messages on stderr, as text and JSON, without control characters."""

import datetime
import json
import re
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest

from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings
from tests.running import SAMPLES, run, run_process
from tests.serving import Server, serving

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ESCAPE = "\x1b[31mred\x1b[0m"
RFC_3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def _is_recent(time: str) -> bool:
    assert re.fullmatch(RFC_3339, time)
    age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(
        time.replace("Z", "+00:00")
    )
    return datetime.timedelta(0) <= age < datetime.timedelta(minutes=1)


def test_the_access_log_as_text() -> None:
    with serving(env={"TZ": "Asia/Tokyo"}) as server:  # the time in the log is UTC
        server.ask("GET", "/?scores=1", X_Request_ID="abc")
        server.ask("GET", "/nope", X_Request_ID="def", traceparent=TRACEPARENT)
        code, log = server.stop()
    assert code == 0
    first, second = log.splitlines()
    found = re.fullmatch(rf'({RFC_3339}) 127\.0\.0\.1 "GET /\?scores=1" 200 [\d.]+ ms abc', first)
    assert found and _is_recent(found[1])
    assert second.endswith(f" ms def {TRACEPARENT}")


def test_an_internal_error_is_in_the_log_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ZeroDivisionError("private")

    monkeypatch.setattr("mnist_cli.server.native.routes._request_picture", fail)
    client = create_app(Settings(), warm=False).test_client()
    answer = client.post("/predict", headers={"X-Request-ID": "abc"})
    assert answer.status_code == 500
    assert answer.get_json() == {"error": "internal error: see the server log, request abc"}
    assert "ZeroDivisionError: private" in caplog.text


def test_no_access_log_with_quiet() -> None:
    with serving("--quiet") as server:
        server.ask("GET", "/")
        assert server.stop() == (0, "")


def test_the_client_address_from_a_trusted_proxy() -> None:
    for arguments, client in (((), "127.0.0.1"), (("--trusted-proxy", "127.0.0.1"), "192.0.2.7")):
        with serving(*arguments) as server:
            server.ask("GET", "/", X_Forwarded_For="192.0.2.7")
            assert f" {client} " in server.stop()[1]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_line_of_a_json_log_is_an_object(workers: str) -> None:
    with serving("--log-format", "json", "--workers", workers) as server:
        answer = server.ask("GET", "/nope", traceparent=TRACEPARENT)
        assert server.ask("GET", "/").status == 200
        entries: list[dict[str, Any]] = list(map(json.loads, server.stop()[1].splitlines()))
    assert all(_is_recent(entry["time"]) for entry in entries)
    [missing, found] = [entry for entry in entries if "status" in entry]
    assert (missing["method"], missing["path"], missing["status"]) == ("GET", "/nope", 404)
    assert missing["request_id"] == answer.headers["X-Request-ID"]
    assert missing["traceparent"] == TRACEPARENT
    assert "traceparent" not in found


def test_messages_in_a_json_log() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        results = [
            run_process("serve", *arguments, "--log-format", "json")
            for arguments in (("--port", port), ("--port", "70000"), ("--host", "192.0.2.1"))
        ]
    assert [result.code for result in results] == [6, 2, 2]
    for result in results:
        entries = [json.loads(line) for line in result.stderr.splitlines()]
        assert all(list(entry) == ["time", "level", "message"] for entry in entries)
        assert all(_is_recent(entry["time"]) for entry in entries)
        assert [entry["level"] for entry in entries] == ["error", "tip"][: len(entries)]
    assert len(entries) == 2


def _send(server: Server, head: str) -> bytes:
    with server.connect() as connection:
        request = f"{head}\r\nHost: {server.host}\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode("latin-1"))
        return connection.makefile("rb").read()


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_client_cannot_send_control_characters_to_the_log(log_format: str) -> None:
    csi = "\x9b31m"  # the same as ESC [ in Latin-1
    with serving("--log-format", log_format, "--trusted-proxy", "127.0.0.1") as server:
        for head in (
            "GET /%1b[31m%0afake%22 HTTP/1.1",
            f"GET /?{ESCAPE} HTTP/1.1",
            f"GET /{csi} HTTP/1.1",
            f'GET /?a"b{csi} HTTP/1.1',
            f"GET / HTTP/1.1\r\nX-Request-ID: {csi}",
            "GET / HTTP/1.1\r\nX-Request-ID: a b",
            f"GET / HTTP/1.1\r\ntraceparent: {csi}",
            f"GET / HTTP/1.1\r\nX-Forwarded-For: {csi}",
        ):
            answer = _send(server, head)
            assert answer.split()[1] in (b"200", b"400", b"404"), head
            assert b"\x1b" not in answer and b"\x9b" not in answer
        lines = server.stop()[1].split("\n")[:-1]
    assert len(lines) >= 6
    assert all(line.isprintable() for line in lines)
    if log_format == "text":
        # The request is one field in quotes, and has one space.
        assert all(re.search(r'^\S+ \S+ "\S+ [^" ]+" \d+ [\d.]+ ms \S+$', line) for line in lines)


@pytest.mark.parametrize("host", [ESCAPE, "a\nmnist: info: fake"])
def test_control_characters_of_an_option(host: str) -> None:
    result = run_process("serve", "--insecure", "--port", "0", "--host", host)
    assert result.code == 6
    assert result.error.isprintable()
    debug = run_process("serve", "--insecure", "--port", "0", "--host", host, "--debug").stderr
    assert "Traceback" in debug
    assert all(line.isprintable() for line in debug.split("\n"))


def test_control_characters_of_a_file_name(tmp_path: Path) -> None:
    (tmp_path / f"{ESCAPE}\n.png").write_bytes(b"no picture")
    result = run("predict-batch", tmp_path, "--fail-fast")
    assert result.code == 5
    assert result.error.isprintable()


def test_control_characters_of_a_model(tmp_path: Path) -> None:
    folder = tmp_path / ESCAPE
    shutil.copytree(SAMPLES.parent / "saved_models" / "k_ffnn", folder)
    result = run("inspect-model", folder, "--format", "text")
    assert result.code == 0
    assert all(line.isprintable() for line in result.stdout.split("\n"))
