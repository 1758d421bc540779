"""The shapes, scales and encodings that clients send, on every route that takes images."""

import base64
import importlib
import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from mnist_cli import images, reshape
from tests.drawing import png
from tests.running import SAMPLES
from tests.serving import Server

PNG = (SAMPLES / "MNIST-7.png").read_bytes()
# The sample as 28x28 gray levels, and as ink from 0 to 1.
GRAY = np.asarray(reshape.to_28x28(images.decode(PNG).pixels)).round().astype(np.uint8)
INK = (1 - GRAY / 255).astype(np.float32)


def _predict(server: Server, pixels: npt.NDArray[Any], query: str = "?scores=1") -> Any:
    # With a model, the app decodes the body; without, the event loop does.
    bodies = [
        server.ask("POST", f"/predict{query}{model}", json_body={"picArray": pixels.tolist()})
        for model in ("", "&model=k_cnn")
    ]
    assert bodies[0].body == bodies[1].body
    return bodies[0]


@pytest.mark.parametrize("shape", [(28, 28, 1), (1, 28, 28), (784,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_shapes_of_pixels(server: Server, shape: tuple[int, ...], dtype: Any) -> None:
    pixels = GRAY.astype(dtype)
    expected = _predict(server, pixels)
    assert expected.json["prediction"] == 7
    assert _predict(server, pixels.reshape(shape)).json == expected.json


def test_other_sizes_with_a_channel(server: Server) -> None:
    pixels = np.asarray(Image.open(SAMPLES / "MNIST-3.png").convert("L"))
    expected = _predict(server, pixels).json
    assert expected["prediction"] == 3
    assert _predict(server, pixels[..., None]).json == expected
    assert _predict(server, pixels[None]).json == expected


def test_rgb_becomes_gray_as_in_a_picture(server: Server) -> None:
    rgb = np.stack([255 - GRAY // 3, GRAY, GRAY], axis=2)
    picture = server.ask("POST", "/predict?scores=1", png(rgb), Content_Type="image/png").json
    assert picture["prediction"] == 7
    assert _predict(server, rgb).json == picture


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((783,), "the shape [783]: send [H,W], [H,W,1], [1,H,W], [H,W,3] or [784]"),
        ((2, 28, 28), "the shape [2,28,28]"),
        ((28, 28, 4), "the shape [28,28,4]"),
        ((1, 28, 28, 1), "$.picArray[0][0]"),
    ],
)
def test_other_shapes_of_pixels(server: Server, shape: tuple[int, ...], message: str) -> None:
    answer = _predict(server, np.full(shape, 9))
    assert answer.status == 400
    assert message in answer.error


def test_pixels_out_of_range_are_located_in_every_shape(server: Server) -> None:
    pixels = np.zeros((28, 28, 1), int)
    pixels[3, 4] = 256
    assert "picArray[3][4][0] is 256:" in _predict(server, pixels).error
    assert "picArray[88] is 256:" in _predict(server, pixels.ravel()).error


@pytest.mark.parametrize(
    "pixels", [INK, 1 - INK, INK.round(), INK.round().astype(int), INK.ravel()]
)
@pytest.mark.parametrize("query", ["?scores=1", "?preprocess=plain"])
def test_pixels_from_0_to_1(server: Server, pixels: npt.NDArray[Any], query: str) -> None:
    answer = _predict(server, pixels, query)
    assert answer.status == 400
    assert "are from 0 to 1: expected from 0 (black) to 255 (white)" in answer.error


@pytest.mark.parametrize("kind", ["application/jsonfoo", "application/json-seq", "text/json", "x"])
def test_another_content_type_on_both_paths(server: Server, kind: str) -> None:
    for content_type, status in ((kind, 415), ("Application/JSON ; charset=utf-8", 200)):
        for query in ("", "?model=k_cnn"):
            body = json.dumps({"picArray": GRAY.tolist()})
            answer = server.ask("POST", f"/predict{query}", body, Content_Type=content_type)
            assert answer.status == status


SHAPES = [(2, 784), (2, 28, 28), (2, 28, 28, 1)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_an_image_fits_every_model(server: Server, shape: tuple[int, ...]) -> None:
    tensor = np.stack([INK, INK[::-1]]).reshape(shape)
    flat = tensor.reshape(2, 784).tolist()
    path = "/v1/models/k_cnn:predict"
    expected = server.ask("POST", path, json_body={"instances": flat}).json["predictions"]
    assert np.argmax(expected[0]) == 7
    rows = tensor.tolist()
    for body in (
        {"instances": rows},
        {"instances": [{"input": row} for row in rows]},
        {"inputs": rows},
        {"inputs": {"input": rows}},
    ):
        [scores] = server.ask("POST", path, json_body=body).json.values()
        assert scores == expected
    examples = {"examples": [{"input": row} for row in rows]}
    results = server.ask("POST", "/v1/models/k_cnn:classify", json_body=examples).json["results"]
    assert [[score for _, score in row] for row in results] == expected
    for data in (rows, tensor.ravel().tolist()):
        sent = {"name": "input", "shape": list(shape), "datatype": "FP32", "data": data}
        answer = server.ask("POST", "/v2/models/k_cnn/infer", json_body={"inputs": [sent]}).json
        assert answer["outputs"][0]["data"] == np.ravel(expected).tolist()


@pytest.mark.parametrize("shape", [(1, 28, 27), (1, 28, 28, 3), (1, 1, 784), (1, 785)])
def test_another_shape_is_named_with_the_wanted_one(server: Server, shape: tuple[int, ...]) -> None:
    rows = np.zeros(shape).tolist()
    message = f"the shape is {list(shape)}, expected [N,784]".replace(", ", ",", len(shape) - 1)
    for body in ({"instances": rows}, {"inputs": rows}, {"instances": [{"input": rows[0]}]}):
        answer = server.ask("POST", "/v1/models/k_cnn:predict", json_body=body)
        assert answer.status == 400
        assert message in answer.error
    flat = server.ask("POST", "/v1/models/k_cnn:predict", json_body={"instances": [0.0] * 784})
    assert "instances[0]: the shape is [1], expected [N,784]" in flat.error


@pytest.mark.parametrize("route", [":predict", ":classify"])
def test_pictures_in_other_forms_of_base64(server: Server, route: str) -> None:
    picture = next(data for data in (png(GRAY + np.uint8(n)) for n in range(99)) if _differs(data))
    usual = base64.b64encode(picture).decode()
    safe = base64.urlsafe_b64encode(picture).decode()
    answers = []
    for text in (usual, safe, safe.rstrip("="), f"data:image/png;base64,{usual}"):
        value = {"b64": text}
        body = {"instances": [value]} if route == ":predict" else {"examples": [{"input": value}]}
        answers.append(server.ask("POST", f"/v1/models/k_cnn{route}", json_body=body))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body for answer in answers}) == 1
    broken = {"instances": [{"b64": "data:image/png,x"}]}
    answer = server.ask("POST", "/v1/models/k_cnn:predict", json_body=broken)
    assert answer.status == 400 and "no `;base64`" in answer.error


def _differs(data: bytes) -> bool:
    text = base64.b64encode(data)
    return b"+" in text and b"/" in text


def test_an_output_that_is_requested_twice(server: Server) -> None:
    sent = {"name": "input", "shape": [1, 784], "datatype": "FP32", "data": [0.0] * 784}
    for count, status in ((0, 200), (1, 200), (2, 400)):
        body = {"inputs": [sent], "outputs": [{"name": "output"}] * count}
        answer = server.ask("POST", "/v2/models/k_cnn/infer", json_body=body)
        assert answer.status == status
    assert "output 'output' is requested twice" in answer.error


def test_the_configuration_for_clients_of_triton(server: Server) -> None:
    http = importlib.import_module("tritonclient.http")
    with http.InferenceServerClient(f"{server.host}:{server.port}") as client:
        config = client.get_model_config("t_cnn")
        metadata = client.get_model_metadata("t_cnn")
        assert client.get_model_config("t_cnn", "1") == config
    assert (config["name"], config["max_batch_size"]) == ("t_cnn", 0)
    for direction in ("input", "output"):
        [found], [described] = config[direction], metadata[f"{direction}s"]
        assert found["name"] == described["name"]
        assert found["data_type"] == f"TYPE_{described['datatype']}"
        assert found["dims"] == described["shape"]
    assert server.ask("GET", "/v2/models/nope/config").status == 404
