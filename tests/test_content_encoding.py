"""Compressed requests and responses, over real sockets."""

import gzip
import importlib
import json
import zlib
from collections.abc import Callable

import numpy as np
import pytest

from mnist_cli.server.content_encoding import MIN_COMPRESSED_BYTES
from tests.running import ROOT, SAMPLES
from tests.serving import Server, serving

PNG = (SAMPLES / "MNIST-3.png").read_bytes()
PIXELS = json.dumps({"picArray": [[0, 0, 0], [255, 255, 0], [255, 0, 255]] * 3}).encode()
INSTANCES = json.dumps({"instances": [[0.0] * 300 + [1.0] * 28 + [0.0] * 456]}).encode()
TENSOR = {"name": "input", "shape": [1, 784], "datatype": "FP32", "data": [0.5] * 784}
INFER = json.dumps({"inputs": [TENSOR]}).encode()
FORM = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n%s\r\n--x--\r\n' % PNG
)

INFLATE: dict[str | None, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    None: bytes,
}
COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "deflate": zlib.compress}
REQUESTS = [
    ("/predict", PIXELS, "application/json"),
    ("/predict", PNG, "image/png"),
    ("/predict", FORM, "multipart/form-data; boundary=x"),
    ("/v1/models/k_cnn:predict", INSTANCES, "application/json"),
    ("/v2/models/k_cnn/infer", INFER, "application/json"),
]


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize(("path", "body", "kind"), REQUESTS)
def test_a_compressed_body(
    server: Server, path: str, body: bytes, kind: str, encoding: str
) -> None:
    expected = server.ask("POST", path, body, Content_Type=kind)
    assert expected.status == 200
    compressed = COMPRESS[encoding](body)
    for name in (encoding, encoding.upper()):
        answer = server.ask("POST", path, compressed, Content_Type=kind, Content_Encoding=name)
        assert (answer.status, answer.body) == (200, expected.body)
    plain = server.ask("POST", path, body, Content_Type=kind, Content_Encoding="identity")
    assert (plain.status, plain.body) == (200, expected.body)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
@pytest.mark.parametrize(("path", "body", "kind"), REQUESTS)
def test_another_content_encoding_is_refused_by_name(
    server: Server, path: str, body: bytes, kind: str, encoding: str
) -> None:
    answer = server.ask("POST", path, body, Content_Type=kind, Content_Encoding=encoding)
    assert answer.status == 415
    assert f"'{encoding}'" in answer.error and "gzip" in answer.error


@pytest.mark.parametrize("encoding", COMPRESS)
def test_a_body_that_is_not_compressed_or_damaged(server: Server, encoding: str) -> None:
    whole = COMPRESS[encoding](PIXELS)
    for body in (PIXELS, whole[:-9], whole[:20] + b"damage" + whole[26:], b"\0"):
        headers = {"Content_Type": "application/json", "Content_Encoding": encoding}
        answer = server.ask("POST", "/predict", body, **headers)
        assert answer.status == 400
        assert f"the body is not {encoding}" in answer.error


@pytest.mark.slow
def test_compressed_bodies_have_the_limit_of_plain_ones() -> None:
    limit = 2**20
    with serving("--max-body", "1") as server:
        for encoding, compress in COMPRESS.items():
            for size, status in ((limit, 400), (limit + 1, 413), (1000 * limit, 413)):
                bomb = compress(bytes(size))
                headers = {"Content_Type": "image/png", "Content_Encoding": encoding}
                answer = server.ask("POST", "/predict", bomb, **headers)
                assert answer.status == status
                assert ("1048576 bytes" if status == 413 else "not a picture") in answer.error


def test_a_large_answer_is_compressed_if_the_client_accepts_that(server: Server) -> None:
    plain = server.ask("GET", "/openapi.json")
    assert "Content-Encoding" not in plain.headers
    for accepted, encoding in (
        ("gzip", "gzip"),
        ("deflate", "deflate"),
        ("br, gzip;q=0.5", "gzip"),
        ("*", "gzip"),
        ("br", None),
        ("gzip;q=0", None),
    ):
        answer = server.ask("GET", "/openapi.json", Accept_Encoding=accepted)
        assert answer.headers["Content-Encoding"] == encoding
        assert "Accept-Encoding" in answer.headers["Vary"]
        assert INFLATE[encoding](answer.body) == plain.body
        assert (len(answer.body) < len(plain.body) / 2) is (encoding is not None)
    small = server.ask("POST", "/predict", PNG, Content_Type="image/png", Accept_Encoding="gzip")
    assert "Content-Encoding" not in small.headers and small.json["prediction"] == 3


@pytest.mark.slow
@pytest.mark.parametrize("sent", [None, *COMPRESS])
@pytest.mark.parametrize("received", [None, *COMPRESS])
@pytest.mark.parametrize("binary", [True, False])
def test_tritonclient(server: Server, sent: str | None, received: str | None, binary: bool) -> None:
    http = importlib.import_module("tritonclient.http")
    images = np.random.default_rng(0).random((200, 784), np.float32)
    tensor = http.InferInput("input", [200, 784], "FP32")
    tensor.set_data_from_numpy(images, binary_data=binary)
    wanted = [http.InferRequestedOutput("output", binary_data=binary)]
    with http.InferenceServerClient(f"{server.host}:{server.port}") as client:
        expected = client.infer("t_cnn", [tensor], outputs=wanted).as_numpy("output")
        options = {
            "request_compression_algorithm": sent,
            "response_compression_algorithm": received,
        }
        result = client.infer("t_cnn", [tensor], outputs=wanted, **options)
        np.testing.assert_array_equal(result.as_numpy("output"), expected)


def test_a_file_is_sent_as_it_is(server: Server) -> None:
    file = ROOT / "mnist_cli/server/static/draw.js"
    answer = server.ask("GET", "/static/draw.js", Accept_Encoding="gzip")
    assert (answer.status, answer.body) == (200, file.read_bytes())
    assert len(answer.body) > MIN_COMPRESSED_BYTES
