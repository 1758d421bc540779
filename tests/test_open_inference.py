"""The Open Inference Protocol v2, over real sockets, with its clients and with invalid requests."""

import importlib
import json
import random
import struct
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import mnist_cli
from mnist_cli import images, reshape
from tests.running import SAMPLES, run
from tests.serving import Server, serving

MODEL = "/v2/models/t_cnn"
HEADER = "Inference-Header-Content-Length"


def _ink(*digits: int) -> npt.NDArray[np.float32]:
    """Samples as the models take them: float32 [N, 784], ink 1 and paper 0."""
    files = [SAMPLES / f"MNIST-{digit}.png" for digit in digits]
    pictures = [images.decode(file.read_bytes()).pixels for file in files]
    return reshape.to_model_input([reshape.to_28x28(pixels) for pixels in pictures])


def _scores(*digits: int) -> list[list[float]]:
    files = [SAMPLES / f"MNIST-{digit}.png" for digit in digits]
    options = ("--model", "t_cnn", "--scores", "--preprocess", "plain")
    records = run("predict", *options, *files).records
    return [record["scores"] for record in records]


def _input(**changes: Any) -> dict[str, Any]:
    ink = _ink(3)
    return {"name": "input", "shape": [1, 784], "datatype": "FP32", "data": ink.tolist()} | changes


def test_server_metadata_and_health(server: Server) -> None:
    for path in ("/v2", "/v2/"):
        assert server.ask("GET", path).json == {
            "name": "mnist",
            "version": mnist_cli.__version__,
            "extensions": ["binary_tensor_data"],
        }
    assert server.ask("GET", "/v2/health/live").json == {"live": True}
    assert server.ask("GET", "/v2/health/ready").json == {"ready": True}


def test_health_needs_no_token() -> None:
    with serving(env={"MNIST_TOKEN": "secret"}) as server:
        for path in ("/health", "/v2/health/live", "/v2/health/ready"):
            assert server.ask("GET", path).status == 200
        for path in ("/v2", MODEL, f"{MODEL}/ready", "/v1/models/t_cnn"):
            assert server.ask("GET", path).status == 401


def test_model_metadata_and_ready(server: Server) -> None:
    for path in (MODEL, f"{MODEL}/versions/1"):
        assert server.ask("GET", path).json == {
            "name": "t_cnn",
            "versions": ["1"],
            "platform": "tensorflow_savedmodel",
            "inputs": [{"name": "input", "datatype": "FP32", "shape": [-1, 784]}],
            "outputs": [{"name": "output", "datatype": "FP32", "shape": [-1, 10]}],
        }
        assert server.ask("GET", f"{path}/ready").json == {"name": "t_cnn", "ready": True}


def test_flat_and_nested_data_and_echoed_parameters(server: Server) -> None:
    ink = _ink(*range(10))
    for data in (ink.tolist(), ink.ravel().tolist()):
        for datatype in ("FP32", "FP64"):
            body = {
                "id": "42",
                "parameters": {"a": "b", "c": 1, "binary_data_output": False},
                "inputs": [_input(shape=[10, 784], data=data, datatype=datatype)],
                "outputs": [{"name": "output"}],
            }
            answer = server.ask("POST", f"{MODEL}/infer", json_body=body).json
            [output] = answer.pop("outputs")
            assert answer == {
                "model_name": "t_cnn",
                "model_version": "1",
                "id": "42",
                "parameters": {"a": "b", "c": 1},
            }
            scores = output.pop("data")
            assert output == {"name": "output", "datatype": "FP32", "shape": [10, 10]}
            np.testing.assert_allclose(scores, np.ravel(_scores(*range(10))), atol=1e-6)


def test_switches_may_be_sent_with_their_constant_value(server: Server) -> None:
    for value, status in ((1.0, 200), (0.5, 400)):
        switch = {"name": "dropout", "shape": [], "datatype": "FP32", "data": [value]}
        body = {"inputs": [_input(), switch]}
        answer = server.ask("POST", f"{MODEL}/versions/1/infer", json_body=body)
        assert answer.status == status
    assert "leave it out" in answer.error


def test_tritonclient(server: Server) -> None:
    http = importlib.import_module("tritonclient.http")
    utils = importlib.import_module("tritonclient.utils")
    ink, expected = _ink(*range(10)), _scores(*range(10))
    with http.InferenceServerClient(f"{server.host}:{server.port}") as client:
        assert client.is_server_live() and client.is_server_ready()
        assert client.is_model_ready("t_cnn") and client.is_model_ready("t_cnn", "1")
        assert not client.is_model_ready("nope")
        assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
        metadata = client.get_model_metadata("t_cnn")
        assert metadata["inputs"][0]["shape"] == [-1, 784]
        for datatype, dtype in (("FP32", np.float32), ("FP64", np.float64)):
            for binary in (True, False):
                sent = http.InferInput("input", [10, 784], datatype)
                sent.set_data_from_numpy(ink.astype(dtype), binary_data=binary)
                for wanted in (
                    None,
                    [http.InferRequestedOutput("output", binary_data=True)],
                    [http.InferRequestedOutput("output", binary_data=False)],
                ):
                    result = client.infer("t_cnn", [sent], outputs=wanted, request_id="7")
                    scores = result.as_numpy("output")
                    assert scores.dtype == np.float32 and scores.shape == (10, 10)
                    np.testing.assert_allclose(scores, expected, atol=1e-6)
                    assert result.get_response()["id"] == "7"
        with pytest.raises(utils.InferenceServerException, match="unknown model: 'nope'"):
            client.infer("nope", [sent])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_client_of_the_open_inference_protocol(server: Server) -> None:
    openapi = importlib.import_module("open_inference.openapi.client")
    types = importlib.import_module("open_inference.openapi.types")
    client = openapi.OpenInferenceClient(base_url=f"http://{server.host}:{server.port}")
    client.check_server_liveness()
    client.check_server_readiness()
    client.check_model_readiness("t_cnn")
    client.check_model_version_readiness("t_cnn", "1")
    assert client.read_server_metadata().name == "mnist"
    metadata = client.read_model_version_metadata("t_cnn", "1")
    assert metadata.inputs[0].name == "input"
    request = types.InferenceRequest(id="8", inputs=[types.RequestInput(**_input())])
    answer = client.model_infer("t_cnn", request=request)
    assert (answer.model_name, answer.id) == ("t_cnn", "8")
    sent = json.loads(answer.outputs[0].data.json())
    np.testing.assert_allclose(sent, _scores(3)[0], atol=1e-6)
    client._client_wrapper.httpx_client.close()


def _binary(
    server: Server, blob: bytes, size: Any, header: str | None = None, **changes: Any
) -> Any:
    tensor = _input(parameters={"binary_data_size": size}, **changes)
    if "data" not in changes:
        del tensor["data"]
    head = json.dumps({"inputs": [tensor]}).encode()
    length = str(len(head)) if header is None else header
    headers = {"Inference_Header_Content_Length": length} if length else {}
    return server.ask("POST", f"{MODEL}/infer", head + blob, **headers)


def test_invalid_binary_data(server: Server) -> None:
    blob = _ink(3).tobytes()
    assert _binary(server, blob, len(blob)).status == 200
    nan = struct.pack("<f", float("nan")) + blob[4:]
    for answer, message in (
        (_binary(server, blob, len(blob), header=""), "not JSON"),
        (_binary(server, b"", len(blob), header=""), "must specify valid"),
        (_binary(server, b"", 0, header=""), "must specify valid"),
        (_binary(server, blob, len(blob), header="-1"), "should be in range"),
        (_binary(server, blob, len(blob), header="9999999"), "should be in range"),
        (_binary(server, blob, len(blob), header="9" * 5000), "Unable to parse"),
        (_binary(server, blob, len(blob), header="x"), "Unable to parse"),
        (_binary(server, blob, len(blob), header="0"), "byte size mismatch"),
        (_binary(server, blob, len(blob), header="5"), "not JSON"),
        (_binary(server, blob, -4), "Unable to parse 'binary_data_size'"),
        (_binary(server, blob, "4"), "Unable to parse 'binary_data_size'"),
        (_binary(server, blob, True), "Unable to parse 'binary_data_size'"),
        (_binary(server, blob, 1.5), "Unable to parse 'binary_data_size'"),
        (_binary(server, blob, 10**30), "additional bytes"),
        (_binary(server, blob, len(blob) + 1), "expecting 1 additional bytes"),
        (_binary(server, blob, 100), "byte size mismatch. Expected 3136, got 100"),
        (_binary(server, blob, 0), "byte size mismatch"),
        (_binary(server, blob + b"x", len(blob)), "unexpected additional input data"),
        (_binary(server, nan, len(nan)), "loss of precision"),
        (_binary(server, b"", 0, shape=[0, 784]), "the shape is"),
        (_binary(server, b"", 0, shape=[2**40, 2**40]), "byte size mismatch"),
        (_binary(server, blob, len(blob), datatype="FP64"), "byte size mismatch"),
        (_binary(server, blob, len(blob), data=[1]), "But set 'data' 'binary_data_size'"),
    ):
        assert answer.status == 400
        assert message in answer.error


@pytest.mark.parametrize("count", [1, 2])
def test_a_raw_binary_request(server: Server, count: int) -> None:
    digits = range(count)
    headers = {"Inference_Header_Content_Length": "0"}
    answer = server.ask("POST", f"{MODEL}/infer", _ink(*digits).tobytes(), **headers)
    assert answer.headers["Content-Type"] == "application/octet-stream"
    length = int(answer.headers[HEADER])
    size = count * 40
    assert json.loads(answer.body[:length]) == {
        "model_name": "t_cnn",
        "model_version": "1",
        "outputs": [
            {
                "name": "output",
                "datatype": "FP32",
                "shape": [count, 10],
                "parameters": {"binary_data_size": size},
            }
        ],
    }
    scores = np.frombuffer(answer.body[length:], "<f4").reshape(count, 10)
    np.testing.assert_allclose(scores, _scores(*digits), atol=1e-6)


def test_invalid_raw_binary_requests(server: Server) -> None:
    headers = {"Inference_Header_Content_Length": "0"}
    for blob, message in (
        (b"", "the shape is [0,784], expected [N,784]"),
        (bytes(100), "byte size mismatch. Expected 0, got 100"),
        (bytes(3137), "byte size mismatch. Expected 3136, got 3137"),
    ):
        answer = server.ask("POST", f"{MODEL}/infer", blob, **headers)
        assert answer.status == 400
        assert message in answer.error


BAD_BODIES: dict[str, tuple[Any, str]] = {
    "empty": (b"", "not JSON"),
    "no inputs": ({}, "missing required field `inputs`"),
    "null": ({"inputs": None}, "$.inputs"),
    "none": ({"inputs": []}, "missing required input 'input'"),
    "unknown input": ({"inputs": [_input(name="x")]}, "unexpected inference input 'x'"),
    "twice": ({"inputs": [_input(), _input()]}, "given twice"),
    "unknown output": ({"inputs": [_input()], "outputs": [{"name": "x"}]}, "inference output 'x'"),
    "classification": (
        {
            "inputs": [_input()],
            "outputs": [{"name": "output", "parameters": {"classification": 3}}],
        },
        "'classification' is not supported",
    ),
    "binary_data": (
        {
            "inputs": [_input()],
            "outputs": [{"name": "output", "parameters": {"binary_data": 1}}],
        },
        "Unable to parse 'binary_data'",
    ),
    "binary_data_output": (
        {"inputs": [_input()], "parameters": {"binary_data_output": "true"}},
        "Unable to parse 'binary_data_output'",
    ),
    "INT32": ({"inputs": [_input(datatype="INT32")]}, "data-type is 'INT32'"),
    "UINT8": ({"inputs": [_input(datatype="UINT8")]}, "expected FP32 or FP64"),
    "shape": ({"inputs": [_input(shape=[1, 783])]}, "Shape does not match"),
    "flat shape": (
        {"inputs": [_input(shape=[784], data=_ink(3).ravel().tolist())]},
        "the shape is",
    ),
    "other shape": ({"inputs": [_input(shape=[784, 1], data=[0] * 784)]}, "the shape is"),
    "no shape": ({"inputs": [_input(shape=[], data=[1])]}, "the shape is"),
    "negative": ({"inputs": [_input(shape=[-1, 784])]}, "Unable to parse 'shape'"),
    "negative twice": ({"inputs": [_input(shape=[-1, -784])]}, "Unable to parse 'shape'"),
    "huge shape": ({"inputs": [_input(shape=[10**15, 10**15])]}, "Shape does not match"),
    "huge flat": ({"inputs": [_input(shape=[10**19], data=[1])]}, "Shape does not match"),
    "zero and huge": ({"inputs": [_input(shape=[0, 10**20], data=[])]}, "Unable to parse 'shape'"),
    "zero and too large": (
        {"inputs": [_input(shape=[0, 2**40, 2**40], data=[])]},
        "Unable to parse 'shape'",
    ),
    "many dimensions": ({"inputs": [_input(shape=[1] * 100)]}, "Unable to parse 'shape'"),
    "fractions": ({"inputs": [_input(shape=[1.5, 784])]}, "shape"),
    "no data": (
        {"inputs": [{"name": "input", "shape": [1, 784], "datatype": "FP32"}]},
        "But no field is set",
    ),
    "empty data": ({"inputs": [_input(data=[])]}, "Shape does not match"),
    "ragged": ({"inputs": [_input(shape=[2, 784], data=[[1], [1, 2]])]}, "equal lengths"),
    "strings": ({"inputs": [_input(data=["1"] * 784)]}, "Expected `int | float`"),
    "booleans": ({"inputs": [_input(data=[True] * 784)]}, "Expected `int | float`"),
    "an object": ({"inputs": [_input(data={})]}, "Expected `array`"),
    "huge": ({"inputs": [_input(data=[1e39] * 784)]}, "loss of precision"),
    "NaN": ({"inputs": [_input(data=[float("nan")] * 784)]}, "not JSON"),
    "id": ({"inputs": [_input()], "id": 1}, "$.id"),
    "parameters": ({"inputs": [_input()], "parameters": {"a": {}}}, "$.parameters"),
    "nested": (b'{"inputs": ' + b"[" * 100_000, "$.inputs[0]"),
    "nested unknown": (b'{"x": ' + b"[" * 100_000, "nested too deeply"),
    "nested data": (
        b'{"inputs": [{"name": "input", "shape": [1, 784], "datatype": "FP32", "data": '
        + b"[" * 100_000
        + b"]" * 100_000
        + b"}]}",
        "JSON",
    ),
    "not UTF-8": (b'{"inputs": "\xff"}', "$.inputs"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_an_invalid_body(server: Server, name: str) -> None:
    body, message = BAD_BODIES[name]
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    answer = server.ask("POST", f"{MODEL}/infer", body)
    assert answer.status == 400
    assert message in answer.error


@pytest.mark.parametrize("path", ["/v2/models/nope", f"{MODEL}/versions/9", f"{MODEL}/versions/x"])
def test_unknown_models_and_versions(server: Server, path: str) -> None:
    for method, tail in (("GET", ""), ("GET", "/ready"), ("POST", "/infer")):
        answer = server.ask(method, path + tail)
        assert answer.status == 404
        assert answer.error.startswith("Request for unknown model: '")


def test_random_damage_is_never_an_internal_error(server: Server) -> None:
    rng = random.Random(7)
    ink = _ink(3)
    tensor = {"name": "input", "shape": [1, 784], "datatype": "FP32"}
    head = json.dumps({"inputs": [tensor | {"parameters": {"binary_data_size": 3136}}]}).encode()
    bodies = [
        (f"{MODEL}/infer", json.dumps({"inputs": [_input()]}).encode(), None),
        (f"{MODEL}/infer", head + ink.tobytes(), len(head)),
        ("/v1/models/t_cnn:predict", json.dumps({"instances": ink.tolist()}).encode(), None),
        ("/v1/models/t_cnn:classify", json.dumps({"examples": [{"input": [1]}]}).encode(), None),
    ]
    for _ in range(400):
        path, body, length = rng.choice(bodies)
        damaged = bytearray(body)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(min(len(damaged), 150))
            damaged[place : place + rng.randint(0, 3)] = rng.choice(
                [b"", b"[", b"]", b"{", b'"', b"-", b"9e99", b"null", b"\xff", b"\x00", b","]
            )
        headers = {"Inference_Header_Content_Length": str(length)} if length else {}
        assert server.ask("POST", path, bytes(damaged), **headers).status in (200, 400)
