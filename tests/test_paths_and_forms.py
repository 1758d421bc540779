"""What is answered at which path and method, and errors of form uploads."""

import pytest

from mnist_cli.server.app import create_app
from tests.running import SAMPLES
from tests.serving import Server, serving

PNG = (SAMPLES / "MNIST-3.png").read_bytes()
V1, V2 = "/v1/models/k_cnn", "/v2/models/k_cnn"
GET = ["/health", "/metrics", "/v2", "/v2/health/live", V1, f"{V1}/versions/1", f"{V1}/metadata"]
GET += [V2, f"{V2}/ready", f"{V2}/config", f"{V2}/versions/1/ready", "/openapi.json"]
POST = ["/predict", f"{V1}:predict", f"{V1}/versions/1:classify", f"{V1}:regress", f"{V2}/infer"]
PAGES = ["/draw", "/docs"]


def test_a_trailing_slash_changes_nothing(server: Server) -> None:
    for path in set(GET) - {"/metrics"}:
        answer = server.ask("GET", path)
        assert answer.status == 200
        assert server.ask("GET", f"{path}/").body == answer.body
    for path in POST:
        answer = server.ask("POST", path, PNG, Content_Type="image/png")
        again = server.ask("POST", f"{path}/", PNG, Content_Type="image/png")
        assert (again.status, again.body) == (answer.status, answer.body)
    for path in PAGES:  # their links are relative
        assert server.ask("GET", f"{path}/").status == 404


def test_a_trailing_slash_needs_the_same_token() -> None:
    with serving(env={"MNIST_TOKEN": "secret"}) as server:
        for slash in ("", "/"):
            assert server.ask("GET", f"/health{slash}").status == 200
            assert server.ask("GET", f"/v2/health/ready{slash}").status == 200
            assert server.ask("GET", f"/metrics{slash}").status == 401


def test_options_has_the_methods_that_are_answered(server: Server) -> None:
    for paths, allowed in (
        ([*GET, *PAGES], "GET, HEAD, OPTIONS"),
        (POST, "POST, OPTIONS"),
    ):
        for path in paths:
            answer = server.ask("OPTIONS", path)
            assert (answer.status, answer.headers["Allow"], answer.body) == (204, allowed, b"")
            assert "Access-Control-Allow-Methods" not in answer.headers
    for path, status in (("/nope", 404), ("/v1/x", 400), (f"{V1}:explain", 400)):
        assert server.ask("OPTIONS", path).status == status


def test_a_preflight_request_allows_what_clients_need() -> None:
    origin = "https://a.example"
    with serving("--cors", origin, env={"MNIST_TOKEN": "secret"}) as server:
        for path, methods in ((f"{V2}/infer", "POST"), (V2, "GET, HEAD")):
            answer = server.ask(
                "OPTIONS", path, Origin=origin, Access_Control_Request_Method="POST"
            )
            assert (answer.status, answer.headers["Access-Control-Allow-Methods"]) == (204, methods)
            headers = answer.headers["Access-Control-Allow-Headers"].split(", ")
            assert {"Authorization", "Content-Type", "Content-Encoding", "traceparent"} < set(
                headers
            )
            assert "Inference-Header-Content-Length" in headers
        exposed = server.ask("GET", "/health", Origin=origin).headers
        assert "Inference-Header-Content-Length" in exposed["Access-Control-Expose-Headers"]


def _part(name: str, content: bytes = PNG, filename: str = '; filename="a.png"') -> bytes:
    head = f'--x\r\nContent-Disposition: form-data; name="{name}"{filename}\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = b"--x--\r\n"


@pytest.mark.parametrize(
    ("body", "parameters", "message"),
    [
        (_part("file") + END, "", "multipart/form-data has no boundary"),
        (_part("file") + END, "; boundary=", "multipart/form-data has no boundary"),
        (_part("x", b"1", "") * 1001 + _part("file") + END, "; boundary=x", "than 1000 parts"),
        (_part("file") * 2 + END, "; boundary=x", "the form has 2 parts `file`"),
        (_part("picture") + END, "; boundary=x", "the field `file` of the form is missing"),
        (_part("file", b"7", "") + END, "; boundary=x", "is text, without a filename"),
        (b"", "; boundary=x", "the field `file` of the form is missing"),
        (_part("file", b"7") + END, "; boundary=x", "not a picture"),
    ],
)
def test_errors_of_forms(server: Server, body: bytes, parameters: str, message: str) -> None:
    kind = f"multipart/form-data{parameters}"
    answer = server.ask("POST", "/predict", body, Content_Type=kind)
    assert answer.status == 400
    assert message in answer.error


def test_a_form_with_other_fields(server: Server) -> None:
    body = _part("note", b"seven?", "") + _part("file") + END
    kind = "multipart/form-data; boundary=x"
    assert server.ask("POST", "/predict", body, Content_Type=kind).json["prediction"] == 3


def test_a_form_over_the_limit_is_413_under_every_wsgi_server() -> None:
    client = create_app(warm=False).test_client()
    body = _part("file", bytes(17 * 2**20)) + END
    answer = client.post("/predict", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413
