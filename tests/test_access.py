"""Who may use `mnist serve`: tokens and host names."""

import json

import pytest

from mnist_cli.server.app import create_app
from mnist_cli.server.settings import Settings
from tests.running import SAMPLES, run_process
from tests.serving import Server, serving

PNG = (SAMPLES / "MNIST-3.png").read_bytes()
SMALL = json.dumps({"picArray": [[0, 0, 0], [255, 255, 0], [255, 0, 255]]})


@pytest.mark.parametrize(
    ("token", "message"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("\n", "empty"),
        (" secret", "characters"),
        ("secret ", "characters"),
        ("a b", "characters"),
        ("a\nb", "characters"),
        ("s\xe9cret", "characters"),
        (b"s\xffcret", "characters"),
    ],
)
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_token_that_clients_cannot_send_is_refused_at_start(
    token: str | bytes, message: str, host: str
) -> None:
    text = token if isinstance(token, str) else token.decode(errors="surrogateescape")
    result = run_process("serve", "--port", "0", "--host", host, env={"MNIST_TOKEN": text})
    assert result.code == 2
    assert f"MNIST_TOKEN: the token {'is' if message == 'empty' else 'has'}" in result.error
    assert message in result.error and "openssl rand -hex 32" in result.error
    with pytest.raises(ValueError, match=message):
        Settings(token=text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_the_line_break_of_a_secret_is_ignored(end: str) -> None:
    client = create_app(Settings(token=f"secret{end}"), warm=False).test_client()
    for header, status in (("Bearer secret", 200), ("bearer secret", 200), ("secret", 401)):
        assert client.get("/v2", headers={"Authorization": header}).status_code == status


def test_the_scheme_of_the_token_on_both_paths_of_the_server() -> None:
    with serving(env={"MNIST_TOKEN": "secret\n"}) as server:
        for scheme, status in (("Bearer ", 200), ("bearer ", 200), ("Basic ", 401), ("", 401)):
            for body, kind in ((SMALL, "application/json"), (PNG, "image/png")):
                answer = server.ask(
                    *("POST", "/predict", body), Content_Type=kind, Authorization=f"{scheme}secret"
                )
                assert answer.status == status
        # A token protects by itself.
        assert _status(server, "evil.example", Authorization="Bearer secret") == 200


def _status(server: Server, host: str, **headers: str) -> int:
    # The first is answered by the event loop, the second by a thread.
    answers = [
        server.ask(
            "POST", "/predict", SMALL, Host=host, Content_Type="application/json", **headers
        ),
        server.ask("POST", "/predict", PNG, Host=host, Content_Type="image/png", **headers),
        server.ask("GET", "/v2", Host=host, **headers),
    ]
    [status] = {answer.status for answer in answers}
    return status


def test_another_host_name_is_refused_without_a_token() -> None:
    with serving("--allow-host", "Digits.example", "--cors", "*") as server:
        for host in ("localhost", "LocalHost:80", "127.0.0.1", "[::1]:8000", "digits.EXAMPLE:1"):
            assert _status(server, host) == 200
        for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "::1"):
            assert _status(server, host) == 403
        for path in ("/health", "/v2/health/live", "/v2/health/ready"):
            assert server.ask("GET", path, Host="10.0.0.5:8000").status == 200
        for path in ("/", "/draw", "/metrics", "/nope"):
            answer = server.ask("GET", path, Host="evil.example")
            assert answer.status == 403
            assert answer.error == (
                "the host 'evil.example' is not allowed: use localhost, set MNIST_TOKEN, or start "
                "the server with --allow-host"
            )
        preflight = {"Origin": "http://evil.example", "Access_Control_Request_Method": "POST"}
        assert server.ask("OPTIONS", "/predict", Host="evil.example", **preflight).status == 403


def test_the_error_of_a_host_does_not_ask_for_a_token_that_is_set() -> None:
    with serving("--allow-host", "digits.example", env={"MNIST_TOKEN": "secret"}) as server:
        answer = server.ask("GET", "/", Host="evil.example")
    assert answer.status == 403
    assert answer.error == (
        "the host 'evil.example' is not allowed: start the server with --allow-host"
    )


def test_a_request_without_a_host_is_answered(server: Server) -> None:
    with server.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        assert connection.makefile("rb").read().startswith(b"HTTP/1.0 200 OK")


def test_every_host_is_served_if_insecure() -> None:
    with serving("--insecure") as server:
        assert _status(server, "digits.example") == 200
    with serving("--insecure", "--allow-host", "digits.example") as server:
        assert _status(server, "digits.example") == 200
        assert _status(server, "evil.example") == 403


@pytest.mark.parametrize("path", ["/", "/nope", "/v2", "/v1/models/k_cnn", "/draw", "/metrics"])
def test_browsers_do_not_guess_the_content_type(server: Server, path: str) -> None:
    assert server.ask("GET", path).headers.get_all("X-Content-Type-Options") == ["nosniff"]
