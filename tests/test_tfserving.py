"""TensorFlow Serving REST v1, over real sockets; protobuf parses the responses."""

import base64
import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_cli import images, reshape
from tests import models
from tests.running import SAMPLES, run
from tests.serving import Server, serving

MODEL = "/v1/models/t_cnn"
PNG = (SAMPLES / "MNIST-3.png").read_bytes()
B64 = {"b64": base64.b64encode(PNG).decode()}


def _ink(digit: int) -> list[float]:
    """A sample as the models take it: 784 numbers, ink 1 and paper 0."""
    picture = images.decode((SAMPLES / f"MNIST-{digit}.png").read_bytes())
    ink: list[float] = reshape.to_model_input([reshape.to_28x28(picture.pixels)])[0].tolist()
    return ink


def _scores(*digits: int, preprocess: str = "plain") -> list[list[float]]:
    """What the command line answers for the samples."""
    files = [SAMPLES / f"MNIST-{digit}.png" for digit in digits]
    options = ("--model", "t_cnn", "--scores", "--preprocess", preprocess)
    records = run("predict", *options, *files).records
    return [record["scores"] for record in records]


def test_status(server: Server) -> None:
    for path in (MODEL, f"{MODEL}/versions/1", f"{MODEL}/versions/001", f"{MODEL}/labels/any"):
        assert server.ask("GET", path).json == {
            "model_version_status": [
                {
                    "version": "1",
                    "state": "AVAILABLE",
                    "status": {"error_code": "OK", "error_message": ""},
                }
            ]
        }


def test_metadata(server: Server) -> None:
    answer = server.ask("GET", f"{MODEL}/metadata").json
    assert answer == server.ask("GET", f"{MODEL}/versions/1/metadata").json
    assert answer["model_spec"] == {"name": "t_cnn", "signature_name": "", "version": "1"}
    signature = answer["metadata"]["signature_def"]["signature_def"]["serving_default"]
    assert signature["method_name"] == "tensorflow/serving/predict"
    assert signature["inputs"]["input"] == {
        "dtype": "DT_FLOAT",
        "tensor_shape": {
            "dim": [{"size": "-1", "name": ""}, {"size": "784", "name": ""}],
            "unknown_rank": False,
        },
        "name": "input:0",
    }


@pytest.mark.tensorflow
def test_protobuf_parses_status_and_metadata(server: Server) -> None:
    status_pb2 = importlib.import_module("tensorflow_serving.apis.get_model_status_pb2")
    metadata_pb2 = importlib.import_module("tensorflow_serving.apis.get_model_metadata_pb2")
    json_format = importlib.import_module("google.protobuf.json_format")

    status = json_format.Parse(server.ask("GET", MODEL).body, status_pb2.GetModelStatusResponse())
    [entry] = status.model_version_status
    assert (entry.version, entry.state, entry.status.error_code) == (1, entry.AVAILABLE, 0)
    answer = server.ask("GET", f"{MODEL}/metadata").json
    # TensorFlow Serving omits the type of the Any, but the protobuf parser requires it.
    answer["metadata"]["signature_def"]["@type"] = (
        "type.googleapis.com/tensorflow.serving.SignatureDefMap"
    )
    parsed = json_format.Parse(json.dumps(answer), metadata_pb2.GetModelMetadataResponse())
    assert (parsed.model_spec.name, parsed.model_spec.version.value) == ("t_cnn", 1)
    signatures = metadata_pb2.SignatureDefMap()
    assert parsed.metadata["signature_def"].Unpack(signatures)
    signature = signatures.signature_def["serving_default"]
    assert signature.inputs["input"].dtype == 1
    assert [dim.size for dim in signature.outputs["output"].tensor_shape.dim] == [-1, 10]


def test_predictions_in_row_and_columnar_format(server: Server) -> None:
    rows = [_ink(digit) for digit in range(10)]
    expected = _scores(*range(10))
    bodies: list[tuple[dict[str, Any], str]] = [
        ({"instances": rows}, "predictions"),
        ({"instances": [{"input": row} for row in rows]}, "predictions"),
        ({"instances": [{"input": row, "dropout": 1.0} for row in rows]}, "predictions"),
        ({"instances": rows, "signature_name": "serving_default", "x": 1}, "predictions"),
        ({"inputs": rows}, "outputs"),
        ({"inputs": {"input": rows}}, "outputs"),
        ({"inputs": {"input": rows, "dropout": 1}}, "outputs"),
        ({"inputs": {"input": rows, "unknown": "x"}}, "outputs"),
    ]
    for body, key in bodies:
        for path in (f"{MODEL}:predict", f"{MODEL}/versions/1:predict"):
            answer = server.ask("POST", path, json_body=body).json
            assert list(answer) == [key]
            np.testing.assert_allclose(answer[key], expected, atol=1e-6)


def test_pictures_as_base64(server: Server) -> None:
    bodies: list[dict[str, Any]] = [
        {"instances": [B64]},
        {"instances": [{"input": B64}]},
        {"inputs": B64},
        {"inputs": [B64]},
        {"inputs": {"input": B64}},
        {"inputs": {"input": [B64]}},
    ]
    for preprocess in ("auto", "plain"):
        expected = _scores(3, preprocess=preprocess)
        for body in bodies:
            path = f"{MODEL}:predict?preprocess={preprocess}"
            [scores] = server.ask("POST", path, json_body=body).json.values()
            np.testing.assert_allclose(scores, expected, atol=1e-6)


def test_classify(server: Server) -> None:
    examples = [{"input": _ink(3), "unknown": "x"}, {"input": B64}]
    body = {"context": {"dropout": 1.0}, "examples": examples}
    answer = server.ask("POST", f"{MODEL}:classify", json_body=body).json
    assert list(answer) == ["results"]
    assert [[label for label, _ in row] for row in answer["results"]] == [list("0123456789")] * 2
    scores = [[score for _, score in row] for row in answer["results"]]
    np.testing.assert_allclose(scores, _scores(3, 3), atol=1e-6)


def test_regress_is_not_supported(server: Server) -> None:
    answer = server.ask("POST", f"{MODEL}:regress", json_body={"examples": [{"input": _ink(3)}]})
    assert answer.status == 400
    assert "Expected regression signature method_name" in answer.error


@pytest.mark.parametrize(
    ("method", "path", "status", "message"),
    [
        ("GET", "/v1/models/nope", 404, "Could not find any versions of model nope"),
        ("GET", f"{MODEL}/versions/9", 404, "Could not find version 9 of model t_cnn"),
        ("GET", "/v1/models/nope/metadata", 404, "Servable not found for request: Latest(nope)"),
        ("POST", "/v1/models/nope:predict", 404, "Servable not found for request: Latest(nope)"),
        ("POST", f"{MODEL}/versions/9:predict", 404, "Specific(t_cnn, 9)"),
        ("POST", f"{MODEL}/labels/stable:predict", 400, "Unrecognized servable version label"),
        (
            "GET",
            f"{MODEL}/labels/stable/metadata",
            400,
            "Unrecognized servable version label: stable",
        ),
        ("GET", "/v1/models/nope/labels/stable", 404, "Could not find any versions of model nope"),
        ("GET", f"{MODEL}/versions/{'9' * 20}", 400, "Failed to convert version"),
        ("GET", f"{MODEL}/versions/{'9' * 5000}", 400, "Failed to convert version"),
        ("GET", f"{MODEL}/versions/x", 400, "Malformed request"),
        ("POST", f"{MODEL}/versions/x:predict", 400, "Malformed request"),
        ("POST", f"{MODEL}/versions/1/labels/stable:predict", 400, "Malformed request"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("GET", f"{MODEL}:predict", 400, f"Malformed request: GET {MODEL}:predict"),
        ("POST", MODEL, 400, f"Malformed request: POST {MODEL}"),
        ("POST", f"{MODEL}:explain", 400, "Malformed request"),
        ("DELETE", MODEL, 400, "Malformed request"),
        ("GET", "/v1/x", 400, "Malformed request"),
        ("GET", "/v1/models/..%2ft_cnn", 400, "Malformed request"),
    ],
)
def test_paths(server: Server, method: str, path: str, status: int, message: str) -> None:
    body = json.dumps({"instances": [_ink(1)]}) if method == "POST" else None
    answer = server.ask(method, path, body)
    assert answer.status == status
    assert message in answer.error


def test_errors_have_the_precedence_of_tensorflow_serving(server: Server) -> None:
    path, unknown = f"{MODEL}/versions/x:regress", "/v1/models/nope:predict"
    for where, body, status, message in (
        (path, "", 400, "Malformed request"),
        (f"{MODEL}/versions/{'9' * 20}:predict", "", 400, "Failed to convert version"),
        (unknown, "", 400, "not JSON"),
        (unknown, '{"signature_name": 1}', 400, "signature_name"),
        (unknown, "{}", 404, "Servable not found for request: Latest(nope)"),
        (f"{MODEL}:predict", '{"signature_name": "x"}', 400, 'Serving signature name: "x"'),
        (f"{MODEL}/labels/stable:classify", "", 400, "not JSON"),
    ):
        answer = server.ask("POST", where, body)
        assert answer.status == status
        assert message in answer.error


ROW = json.dumps(_ink(3))
BAD_BODIES: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "not JSON"),
    "no object": ("[]", "Expected `object`"),
    "nothing": ("{}", "Missing 'inputs' or 'instances' key"),
    "both": (f'{{"instances": [{ROW}], "inputs": [{ROW}]}}', "only one of"),
    "null": ('{"instances": null}', "instances"),
    "no rows": ('{"instances": []}', "No values in 'instances' array"),
    "no columns": ('{"inputs": []}', "no values"),
    "an empty row": ('{"instances": [[]]}', "shape is"),
    "a number": ('{"instances": 1}', "instances"),
    "a flat list": (f'{{"instances": {ROW}}}', "instances"),
    "short": ('{"instances": [[0, 1]]}', "shape is"),
    "ragged": (f'{{"instances": [{ROW}, [1]]}}', "instances[1]"),
    "ragged columns": (f'{{"inputs": [{ROW}, [1]]}}', "inputs[1]"),
    "too deep": (f'{{"instances": [[{ROW}]]}}', "instances"),
    "strings": ('{"instances": [["1"]]}', "instances"),
    "booleans": ('{"instances": [[true]]}', "instances"),
    "NaN": ('{"instances": [[NaN]]}', "not JSON"),
    "huge": (f'{{"instances": [{ROW[:-1].rpartition(",")[0]}, 1e39]]}}', "loss of precision"),
    "1e999": ('{"instances": [[1e999]]}', "instances"),
    "signature": (
        f'{{"instances": [{ROW}], "signature_name": "x"}}',
        'Serving signature name: "x"',
    ),
    "signature type": (f'{{"instances": [{ROW}], "signature_name": 1}}', "signature_name"),
    "unknown input": (f'{{"instances": [{{"x": {ROW}}}]}}', "does not have named input: x"),
    "missing input": ('{"instances": [{"dropout": 1}]}', "Missing named input: input"),
    "no input": ('{"instances": [{}]}', "Missing named input: input"),
    "no column": ('{"inputs": {}}', "Missing named input: input"),
    "switched on": (f'{{"inputs": {{"input": [{ROW}], "dropout": 0.5}}}}', "leave it out"),
    "switch of a bool": (f'{{"inputs": {{"input": [{ROW}], "dropout": true}}}}', "`float"),
    "switch of a wrong kind": (f'{{"inputs": {{"input": [{ROW}], "dropout": "x"}}}}', "inputs"),
    "b64 with more": ('{"inputs": [{"b64": "", "x": 1}]}', "`b64` alone"),
    "b64 of a number": ('{"instances": [{"b64": 1}]}', "b64"),
    "b64 broken": ('{"instances": [{"b64": "!!"}]}', "Unable to base64 decode"),
    "b64 not ASCII": ('{"instances": [{"b64": "\\u00e9"}]}', "Unable to base64 decode"),
    "b64 empty": ('{"instances": [{"b64": ""}]}', "empty"),
    "b64 of no picture": ('{"instances": [{"b64": "aGVsbG8="}]}', "not a picture"),
    "nested": ('{"instances": ' + "[" * 100_000, "JSON"),
    "nested and closed": ('{"instances": ' + "[" * 100_000 + "]" * 100_000 + "}", "JSON"),
    "nested unknown": ('{"x": ' + "[" * 100_000, "nested too deeply"),
    "not UTF-8": (b'{"instances": [{"b64": "\xff"}]}', "instances"),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_an_invalid_body(server: Server, name: str) -> None:
    body, message = BAD_BODIES[name]
    answer = server.ask("POST", f"{MODEL}:predict", body)
    assert answer.status == 400
    assert message in answer.error


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "'examples' is expected and was not found"),
        ({"examples": []}, "empty array"),
        ({"examples": 1}, "examples"),
        ({"examples": [1]}, "examples"),
        ({"examples": [{}]}, "Missing named input"),
        ({"examples": [{"input": [1, 2]}]}, "the shape is [1,2], expected [N,784]"),
        ({"examples": [{"input": [[1]]}]}, "examples[0]"),
        ({"examples": [{"input": _ink(1)}], "signature_name": "x"}, "No signature was found"),
    ],
)
def test_invalid_examples(server: Server, body: Any, message: str) -> None:
    answer = server.ask("POST", f"{MODEL}:classify", json_body=body)
    assert answer.status == 400
    assert message in answer.error
    assert server.ask("POST", f"{MODEL}:regress", json_body=body).status == 400


def test_input_that_overflows_the_model_is_invalid(server: Server) -> None:
    body = {"instances": [[3e38] * 784]}
    answer = server.ask("POST", "/v1/models/t_ffnn:predict", json_body=body)
    assert answer.status == 400
    assert "the input is out of range: ink is 1.0 and paper 0.0" in answer.error


@pytest.mark.tensorflow
def test_a_version_and_several_outputs(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "00000123").symlink_to(Path(__file__).parent / "models" / "estimator_model_fn")
    with serving("--model", folder) as server:
        path = "/v1/models/mine"
        [status] = server.ask("GET", f"{path}/versions/123").json["model_version_status"]
        assert status["version"] == "123"
        assert server.ask("GET", f"{path}/versions/1").status == 404
        answer = server.ask("POST", f"{path}:predict", json_body={"instances": [_ink(3)]})
        [prediction] = answer.json["predictions"]
        assert list(prediction) == ["scores"] and len(prediction["scores"]) == 10
        metadata = server.ask("GET", f"{path}/metadata").json["metadata"]["signature_def"]
        outputs = metadata["signature_def"]["serving_default"]["outputs"]
        assert outputs["class"]["dtype"] == "DT_INT64"


def test_a_model_with_a_channel_axis(tmp_path: Path, weights: models.Weights) -> None:
    models.keras_3(tmp_path / "keras", weights, shape=(28, 28, 1), softmax=True)
    ink = np.reshape(_ink(3), (1, 28, 28, 1)).tolist()
    with serving("--model-dir", tmp_path, "--model", "keras") as server:
        [expected] = server.ask(
            "POST", "/v1/models/keras:predict?preprocess=plain", json_body={"instances": [B64]}
        ).json["predictions"]
        for body in ({"instances": ink}, {"inputs": ink}):
            [scores] = server.ask("POST", "/v1/models/keras:predict", json_body=body).json.values()
            np.testing.assert_allclose(scores, [expected], atol=1e-6)
        metadata = server.ask("GET", "/v2/models/keras").json
        [image] = metadata["inputs"]
        assert image["shape"] == [-1, 28, 28, 1]
        feature = {image["name"]: _ink(3)}
        answer = server.ask("POST", "/v1/models/keras:classify", json_body={"examples": [feature]})
        np.testing.assert_allclose(
            [pair[1] for pair in answer.json["results"][0]], expected, atol=1e-6
        )
        for data in (ink, _ink(3)):
            tensor = {**image, "shape": [1, 28, 28, 1], "data": data}
            answer = server.ask("POST", "/v2/models/keras/infer", json_body={"inputs": [tensor]})
            np.testing.assert_allclose(answer.json["outputs"][0]["data"], expected, atol=1e-6)
        flat = server.ask("POST", "/v1/models/keras:predict", json_body={"instances": [_ink(3)]})
        np.testing.assert_allclose(flat.json["predictions"], [expected], atol=1e-6)
        wrong = server.ask("POST", "/v1/models/keras:predict", json_body={"instances": [[0]]})
        assert "the shape is [1,1], expected [N,28,28,1]" in wrong.error


def test_a_model_without_signature(tmp_path: Path, weights: models.Weights) -> None:
    models.tensorflow_1(tmp_path / "old", weights, signature=False)
    with serving("--model-dir", tmp_path, "--model", "old") as server:
        answer = server.ask("POST", "/v1/models/old:predict", json_body={"instances": [_ink(3)]})
        assert len(answer.json["predictions"][0]) == 10
        assert server.ask("GET", "/v2/models/old").json["inputs"][0]["shape"] == [-1, 784]
