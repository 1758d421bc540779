"""`mnist serve`: the native API, over real sockets."""

import contextlib
import http.client
import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnist_cli.loader import find_models
from tests import models
from tests.running import MNIST, ROOT, SAMPLES, is_running, run, run_process, wait_until
from tests.serving import Server, request_head, serving


def _pixels(name: str) -> list[list[int]]:
    return np.asarray(Image.open(SAMPLES / name).convert("L")).tolist()  # type: ignore[no-any-return]


def test_the_root_predicts_the_sample(server: Server) -> None:
    answer = server.ask("GET", "/")
    assert answer.status == 200
    expected = run("predict", SAMPLES / "MNIST-0.png").record
    del expected["file"]
    assert answer.json == expected
    assert answer.json["prediction"] == 0


@pytest.mark.parametrize("name", [f"MNIST-{digit}.png" for digit in range(10)])
@pytest.mark.parametrize("query", ["", "scores=1", "preprocess=plain", "model=t_ffnn&scores=1"])
def test_predictions_equal_those_of_the_command_line(server: Server, name: str, query: str) -> None:
    options = [f"--{option}".removesuffix("=1") for option in query.split("&") if option]
    expected = run("predict", *options, SAMPLES / name).record
    del expected["file"]
    path = f"/predict?{query}"
    file = (SAMPLES / name).read_bytes()
    form = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
        + file
        + b"\r\n--x--\r\n"
    )
    for answer in (
        server.ask("POST", path, json_body={"picArray": _pixels(name)}),
        server.ask("POST", path, file, Content_Type="image/png"),
        server.ask("POST", path, form, Content_Type="multipart/form-data; boundary=x"),
    ):
        assert answer.status == 200
        assert answer.json == expected


def test_pixels_may_be_fractions(server: Server) -> None:
    pixels = (np.array(_pixels("MNIST-3.png")) * 0.999).tolist()
    assert server.ask("POST", "/predict", json_body={"picArray": pixels}).json["prediction"] == 3


def test_each_model_can_be_selected(server: Server) -> None:
    for model in find_models():
        answer = server.ask("POST", f"/predict?model={model.name}", PNG, Content_Type="image/png")
        assert (answer.json["model"], answer.json["prediction"]) == (model.name, 3)


PNG = (SAMPLES / "MNIST-3.png").read_bytes()

BAD_BODIES: dict[str, tuple[bytes | str, str]] = {
    "empty": ("", "not JSON"),
    "broken": ('{"picArray":', "not JSON"),
    "not UTF-8": (b'{"picArray": "\xff"}', "not"),
    "nested": ('{"x": ' + "[" * 100_000, "nested too deeply"),
    "nested in place": ('{"picArray": ' + "[" * 100_000, "nested too deeply"),
    "no object": ("[]", "Expected `object`"),
    "no picArray": ("{}", "missing required field `picArray`"),
    "null": ('{"picArray": null}', "$.picArray"),
    "empty array": ('{"picArray": []}', "picArray is empty"),
    "empty rows": ('{"picArray": [[], []]}', "picArray is empty"),
    "ragged": ('{"picArray": [[1, 2], [1, 2], [1]]}', "picArray[2] has 1 values, row 0 has 2"),
    "1-D": ('{"picArray": [1, 2]}', "the shape [2]: send [H,W]"),
    "4-D": ('{"picArray": [[[[1]]]]}', "$.picArray[0][0]"),
    "strings": ('{"picArray": [["1"]]}', "$.picArray[0][0]"),
    "booleans": ('{"picArray": [[true]]}', "$.picArray[0][0]"),
    "NaN": ('{"picArray": [[NaN]]}', "not JSON"),
    "Infinity": ('{"picArray": [[Infinity]]}', "not JSON"),
    "-1": ('{"picArray": [[0, -1]]}', "picArray[0][1] is -1"),
    "256": ('{"picArray": [[0, 0], [256, 0]]}', "picArray[1][0] is 256"),
    "255.1": ('{"picArray": [[255.1]]}', "picArray[0][0] is 255.1"),
    "1e308": ('{"picArray": [[1e308]]}', "picArray[0][0] is 1e+308"),
    "1e999": ('{"picArray": [[1e999]]}', "out of range"),
    "a huge number": ('{"picArray": [[' + "9" * 50 + "]]}", "picArray[0][0] is 9999"),
    "a huger number": ('{"picArray": [[' + "9" * 5000 + "]]}", "out of range"),
    "blank": ('{"picArray": [[9, 9], [9, 9]]}', "no digit in the picture"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_an_invalid_body_is_reported_with_its_place(server: Server, name: str) -> None:
    body, message = BAD_BODIES[name]
    answer = server.ask("POST", "/predict", body, Content_Type="application/json")
    assert answer.status == 400
    assert message in answer.error


@pytest.mark.parametrize(
    ("path", "headers", "status", "message"),
    [
        ("/predict", {}, 415, "send application/json"),
        ("/predict", {"Content_Type": "text/plain"}, 415, "text/plain"),
        ("/predict", {"Content_Type": "image/png"}, 400, "not a picture"),
        ("/predict", {"Content_Type": "multipart/form-data; boundary=x"}, 400, "field `file`"),
        ("/predict?model=nope", {"Content_Type": "image/png"}, 400, "not a picture"),
        ("/nope", {}, 404, "no such path: /nope"),
    ],
)
def test_other_invalid_requests(
    server: Server, path: str, headers: dict[str, str], status: int, message: str
) -> None:
    answer = server.ask("POST", path, "hello", **headers)
    assert answer.status == status
    assert message in answer.error


@pytest.mark.parametrize("name", ["nope", "../t_cnn", "/etc", "t_cnn/..", "%2e%2e/t_cnn", ""])
def test_a_model_is_a_name_not_a_path(server: Server, name: str) -> None:
    answer = server.ask("POST", f"/predict?model={name}", PNG, Content_Type="image/png")
    assert answer.status == 404
    assert "t_cnn, t_ffnn" in answer.error


def test_an_unknown_preprocess(server: Server) -> None:
    answer = server.ask("POST", "/predict?preprocess=magic", PNG, Content_Type="image/png")
    assert answer.status == 400
    assert "'magic': use auto or plain" in answer.error


@pytest.mark.parametrize(
    ("name", "field"), [("scores", "scores"), ("image", "image"), ("multi", "text")]
)
def test_a_flag_is_on_or_off(server: Server, name: str, field: str) -> None:
    for value, expected in (("1", True), ("true", True), ("0", False), ("false", False)):
        answer = server.ask("POST", f"/predict?{name}={value}", PNG, Content_Type="image/png")
        assert (field in answer.json) is expected
    answer = server.ask("POST", f"/predict?{name}=yes", PNG, Content_Type="image/png")
    assert answer.status == 400
    assert f"{name} is 'yes'" in answer.error


def test_a_wrong_method(server: Server) -> None:
    for method, path, allowed in (("GET", "/predict", "POST"), ("POST", "/", "GET")):
        answer = server.ask(method, path)
        assert answer.status == 405
        assert allowed in answer.headers["Allow"]
        assert path in answer.error


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit(chunked: bool) -> None:
    with serving("--max-body", "1") as server:
        body = b"x" * 3 * 2**20
        parts = (body[start : start + 65536] for start in range(0, len(body), 65536))
        answer = server.ask("POST", "/predict", parts if chunked else body)  # type: ignore[arg-type]
        assert answer.status == 413
        assert "1048576" in answer.error
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])
        assert server.ask("GET", "/").status == 200
        # A body of exactly the limit is accepted, but it is not a picture.
        assert server.ask("POST", "/predict", body[: 2**20], Content_Type="image/png").status == 400


def test_slow_and_disconnected_clients_delay_nobody(server: Server) -> None:
    slow = [server.connect() for _ in range(200)]
    for connection in slow:
        connection.send(request_head(999) + b"1")
    for connection in slow[:100]:
        connection.close()
    for _ in range(5):
        assert server.ask("GET", "/").status == 200
        for connection in slow[100:]:
            connection.send(b"2")
    for connection in slow[100:]:
        connection.close()
    assert server.ask("GET", "/").status == 200


def test_a_thousand_connections(server: Server) -> None:
    idle = [server.connect() for _ in range(1000)]
    try:
        assert server.ask("GET", "/").status == 200
    finally:
        for connection in idle:
            connection.close()


def test_input_that_is_not_http(server: Server) -> None:
    with server.connect() as connection:
        connection.send(b"hello\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.0 400") and b'{"error": ' in answer
    assert server.ask("GET", "/").status == 200


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_request_in_flight_is_finished(name: str) -> None:
    with serving() as server:
        rest = PNG[100:]
        with server.connect() as connection:
            connection.send(request_head(len(PNG)) + PNG[:100])
            time.sleep(0.3)
            server.process.send_signal(signal.Signals[name])
            server.wait_until_refused()
            connection.send(rest)
            answer = connection.makefile("rb").read()  # until the server closes the connection
        assert answer.startswith(b"HTTP/1.1 200 ") and b'"prediction": 3' in answer
        assert server.process.wait(timeout=60) == 0


@pytest.mark.slow
def test_a_signal_to_all_processes_is_one_signal() -> None:
    with serving("--workers", "2") as server, server.connect() as connection:
        connection.send(request_head(len(PNG)) + PNG[:100])
        time.sleep(0.3)
        for pid in [server.process.pid, *_workers(server)]:
            with contextlib.suppress(ProcessLookupError):  # the other worker has ended already
                os.kill(pid, signal.SIGTERM)
        time.sleep(0.3)
        connection.send(PNG[100:])
        assert connection.makefile("rb").read().startswith(b"HTTP/1.1 200 ")
        assert server.process.wait(timeout=60) == 0


def test_the_server_runs_before_its_model_is_loaded(
    tmp_path: Path, weights: models.Weights
) -> None:
    folder = models.tensorflow_1(
        tmp_path / "slow", weights
    )  # it needs TensorFlow, which is slow to import
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*MNIST, "serve", "--port", str(port), "--model", str(folder)]
    log = tmp_path / "log"
    with (
        log.open("w") as stderr,
        subprocess.Popen(command, cwd=ROOT, stderr=stderr, text=True) as process,
    ):
        server, seen = Server(process, "127.0.0.1", port, announcement=""), set()
        checks = 0
        body = json.dumps({"picArray": _pixels("MNIST-0.png")}).encode()
        early: socket.socket | None = None  # requests a prediction before the model is loaded
        deadline = time.monotonic() + 60
        while 200 not in seen and time.monotonic() < deadline:
            with contextlib.suppress(ConnectionRefusedError):
                assert server.ask("GET", "/v2/health/live").status == 200
                checks += 1
                ready = server.ask("GET", "/v2/health/ready")
                if ready.status == 200:
                    assert ready.json == {"ready": True}
                else:
                    assert "not loaded yet" in ready.error
                seen.add(ready.status)
                if early is None:
                    early = server.connect()
                    early.sendall(request_head(len(body), "application/json") + body)
            time.sleep(0.02)
        assert seen == {503, 200}
        assert early is not None
        with early:
            assert early.recv(12) == b"HTTP/1.1 200"
        assert server.ask("GET", "/").json["model"] == "slow"
        assert server.stop()[0] == 0
    # Loading the model hides what TensorFlow prints, but not the access log.
    lines = log.read_text().splitlines()
    assert sum('"GET /v2/health/live" 200' in line for line in lines) == checks


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    digits = [json.dumps({"picArray": _pixels(f"MNIST-{digit}.png")}).encode() for digit in (5, 8)]
    requests = [
        *(request_head(len(body), "application/json") + body for body in digits),
        request_head(len(PNG)) + PNG,  # answered by a thread, the others by the event loop
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n",
        request_head(len(digits[0]), "application/json") + digits[0],
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ]
    with server.connect() as connection:
        connection.sendall(b"".join(requests))
        answers = connection.makefile("rb").read()
    bodies = re.findall(rb'"(?:prediction|status)": ?("?\w+)', answers)
    assert bodies == [b"5", b"8", b"3", b'"ok', b"5", b"0"]


@pytest.mark.slow
def test_a_batch_gives_the_same_answers_as_single_requests() -> None:
    four = _pixels("MNIST-4.png")
    sent = {
        **{f"?scores=1&image=1&n={n}": (_pixels(f"MNIST-{n % 10}.png"), 200) for n in range(20)},
        "?preprocess=plain&preprocess=none": (four, 200),
        "?preprocess=none": (four, 400),
        "?scores=2": (four, 400),
        "?model=t_ffnn": (four, 200),
        "?multi=1": (four, 200),
        "?what=blank": ([[255] * 28] * 28, 400),
        "?what=ragged": ([[0, 0], [0]], 400),
        "?what=none": (None, 400),
    }
    requests, statuses = [], []
    for token, refused in ((b"secret", None), (b"wrong", 401)):
        for query, (pixels, status) in sent.items():
            body = json.dumps({"picArray": pixels}).encode()
            head = request_head(len(body), "application/json")
            head = head.replace(b"/predict", b"/predict" + query.encode())
            requests.append(head[:-2] + b"Authorization: Bearer " + token + b"\r\n\r\n" + body)
            statuses.append(refused or status)
    # Nobody reads the log: the pipe would fill.
    with serving("--quiet", "--host", "0.0.0.0", env={"MNIST_TOKEN": "secret"}) as server:
        one_by_one = [server.ask_together([request])[0] for request in requests]
        assert [status for status, _ in one_by_one] == statuses
        for _ in range(5):
            assert server.ask_together(requests) == one_by_one


@pytest.mark.slow
def test_the_second_signal_stops_at_once() -> None:
    with serving() as server, server.connect() as connection:
        connection.send(request_head(9) + b"1")
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        server.wait_until_refused()
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=20) == 0  # it would wait 30 s for the rest


def test_a_port_in_use() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        result = run_process("serve", "--port", port)
    assert result.code == 6
    assert f"port {port}: Address already in use" in result.error


def test_an_address_of_another_machine() -> None:
    result = run_process("serve", "--insecure", "--host", "192.0.2.1")
    assert result.code == 6
    assert "cannot listen on 192.0.2.1" in result.error


@pytest.mark.parametrize("host", [f"{64 * 'a'}.example", "a..example"])
def test_an_invalid_host_name(host: str) -> None:
    result = run_process("serve", "--insecure", "--host", host)
    assert result.code == 6
    assert f"cannot listen on {host} port 8000: not a host name" in result.error


def test_an_unknown_model() -> None:
    result = run_process("serve", "--port", "0", "--model", "t_cn")
    assert result.code == 4
    assert result.tip == "did you mean t_cnn?"


def test_other_machines_need_a_token_or_insecure() -> None:
    refused = run_process("serve", "--host", "0.0.0.0")
    assert refused.code == 2
    assert "MNIST_TOKEN" in refused.tip and "--insecure" in refused.tip
    with serving("--host", "0.0.0.0", "--insecure") as server:
        assert server.ask("GET", "/").status == 200


def test_token() -> None:
    with serving("--host", "0.0.0.0", env={"MNIST_TOKEN": "secret"}) as server:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}):
            answer = server.ask("GET", "/", **headers)
            assert answer.status == 401
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert "token" in answer.error
        assert server.ask("GET", "/", Authorization="Bearer secret").status == 200
        assert server.ask("GET", "/health").json == {"status": "ok"}


def test_cors_also_on_errors() -> None:
    with serving("--cors", "https://a.example", "--cors", "https://b.example") as server:
        for path, status in (("/", 200), ("/nope", 404), ("/predict", 405)):
            answer = server.ask("GET", path, Origin="https://b.example")
            assert answer.status == status
            assert answer.headers["Access-Control-Allow-Origin"] == "https://b.example"
            assert "Origin" in answer.headers["Vary"]
        too_large = server.ask("POST", "/predict", bytes(2**25), Origin="https://b.example")
        assert too_large.status == 413
        assert too_large.headers["Access-Control-Allow-Origin"] == "https://b.example"
        other = server.ask("GET", "/", Origin="https://c.example")
        assert "Access-Control-Allow-Origin" not in other.headers
        preflight = server.ask(
            "OPTIONS",
            "/predict",
            Origin="https://a.example",
            Access_Control_Request_Method="POST",
        )
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "https://a.example"
        assert "POST" in preflight.headers["Access-Control-Allow-Methods"]


def test_no_cors_by_default(server: Server) -> None:
    answer = server.ask("GET", "/", Origin="https://a.example")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("prefix", ["/digits/", "digits"])
def test_url_prefix(prefix: str) -> None:
    with serving("--url-prefix", prefix) as server:
        assert f"http://{server.host}:{server.port}/digits/ " in server.announcement
        assert server.ask("GET", "/digits/").json["prediction"] == 0
        answer = server.ask("POST", "/digits/predict", PNG, Content_Type="image/png")
        assert answer.json["prediction"] == 3


def test_metrics(server: Server) -> None:
    def value(name: str) -> float:
        lines = server.ask("GET", "/metrics").body.decode().splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    digit = 'mnist_predictions_total{digit="3",model="k_cnn"}'
    route = 'mnist_requests_total{route="/predict",status="200"}'
    unknown = 'mnist_requests_total{route="none",status="404"}'
    before = value(digit), value(route), value(unknown)
    server.ask("POST", "/predict", PNG, Content_Type="image/png")
    server.ask("GET", "/nope/1")
    server.ask("GET", "/nope/2")
    assert (value(digit), value(route), value(unknown)) == (
        before[0] + 1,
        before[1] + 1,
        before[2] + 2,
    )
    assert value('mnist_request_seconds_count{route="/predict"}') >= before[1] + 1


def test_concurrent_requests_are_predicted_in_batches() -> None:
    body = json.dumps({"picArray": _pixels("MNIST-3.png")}).encode()
    with serving("--quiet") as server:

        def send(_: int) -> None:
            connection = http.client.HTTPConnection(server.host, server.port)
            for _ in range(20):
                connection.request("POST", "/predict", body, {"Content-Type": "application/json"})
                assert connection.getresponse().read().startswith(b'{"prediction": 3')
            connection.close()

        with ThreadPoolExecutor(16) as clients:
            list(clients.map(send, range(16)))
        metrics = server.ask("GET", "/metrics").body.decode()
        value = dict(re.findall(r"^(mnist_\S+) (\S+)$", metrics, re.M))
        assert float(value["mnist_batch_size_sum"]) == 320
        assert float(value["mnist_batch_size_count"]) < 320  # some batches have several pictures
        assert float(value["mnist_failed_batches_total"]) == 0


BROKEN_BATCHES = """
import mnist_cli.server.http.microbatch as microbatch
def fail(*_): raise RuntimeError("broken")
microbatch.read_prepared = fail
from mnist_cli.__main__ import main
main()
"""


def test_a_batch_that_fails_is_answered_one_by_one_and_reported() -> None:
    body = json.dumps({"picArray": _pixels("MNIST-3.png")}).encode()
    with serving("--log-format", "json", program=[sys.executable, "-c", BROKEN_BATCHES]) as server:
        for _ in range(3):
            answer = server.ask("POST", "/predict", body, Content_Type="application/json")
            assert answer.json["prediction"] == 3
        metrics = server.ask("GET", "/metrics").body.decode()
        assert "mnist_failed_batches_total 3.0" in metrics
        _, log = server.stop()
        assert log.count("a batch failed") == 1


def _workers(server: Server) -> list[int]:
    """The child processes of the server."""
    task = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
    return [int(pid) for pid in task.read_text().split()]


@pytest.mark.slow
def test_workers_share_the_port_and_add_up_their_metrics() -> None:
    with serving("--workers", "2") as server:
        connections = [http.client.HTTPConnection(server.host, server.port) for _ in range(16)]
        for connection in connections:
            connection.request("POST", "/predict", PNG, {"Content-Type": "image/png"})
        for connection in connections:
            assert connection.getresponse().read().startswith(b'{"prediction": 3')
        # Both workers accepted a share of the connections.
        sockets = [len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in _workers(server)]
        assert len(sockets) == 2 and abs(sockets[0] - sockets[1]) <= 10
        metrics = server.ask("GET", "/metrics").body.decode()
        assert 'mnist_predictions_total{digit="3",model="k_cnn"} 16.0' in metrics
        for connection in connections:
            connection.close()
        assert server.stop()[0] == 0


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced() -> None:
    with serving("--workers", "2") as server:
        first, second = _workers(server)
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(set(_workers(server)) - {first}) == 2)
        assert second in _workers(server)
        for _ in range(10):
            assert server.ask("GET", "/").status == 200
        pids = _workers(server)
        code, log = server.stop(signal.SIGINT)
        assert code == 0
        assert "and is replaced" in log
        assert not any(is_running(pid) for pid in pids)


@pytest.mark.slow
def test_workers_do_not_outlive_their_parent() -> None:
    with serving("--workers", "2") as server:
        pids = _workers(server)
        server.process.kill()
        wait_until(lambda: not any(is_running(pid) for pid in pids))


@pytest.mark.tensorflow
@pytest.mark.parametrize("workers", ["1", "3"])
def test_a_model_that_cannot_be_loaded_ends_the_server(workers: str, tmp_path: Path) -> None:
    for name, message in (("nope", "no model named 'nope'"), (tmp_path, "Error parsing message")):
        (tmp_path / "saved_model.pb").write_bytes(b"no model")
        result = run_process("serve", "--port", "0", "--workers", workers, "--model", name)
        assert result.code == 4
        assert message in result.stderr


def test_a_large_picture_does_not_delay_small_requests(server: Server) -> None:
    large = io.BytesIO()
    picture = Image.new("L", (8000, 8000), 255)
    picture.paste(0, (3000, 1000, 3500, 7000))
    picture.save(large, "PNG")
    with server.connect() as connection:
        connection.send(request_head(large.tell()) + large.getvalue())
        time.sleep(0.1)
        for path in ("/health", "/v2/health/live", "/v2/health/ready"):
            assert server.ask("GET", path).status == 200
        small = server.ask("POST", "/predict", json_body={"picArray": _pixels("MNIST-4.png")})
        assert small.json["prediction"] == 4
        connection.settimeout(0)
        with pytest.raises(BlockingIOError):  # it is not answered yet
            connection.recv(1)
        connection.settimeout(60)
        assert connection.recv(12) == b"HTTP/1.1 200"
