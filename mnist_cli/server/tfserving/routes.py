"""Implements the routes of TensorFlow Serving's REST API, as described in docs/protocols.md."""

import re
from typing import Any, NoReturn

from flask import Blueprint, Response, request

from mnist_cli.errors import InputError, UnknownModelError
from mnist_cli.server.json_body import decode_json, json_response
from mnist_cli.server.model_metadata import ImageSignature, ServedModel
from mnist_cli.server.native import preprocess_option
from mnist_cli.server.state import get_models
from mnist_cli.server.tfserving.predict import predict_images
from mnist_cli.server.tfserving.request import (
    ImageParser,
    TensorsRequest,
    is_row_format,
    parse_examples_request,
)
from mnist_cli.signature import TensorInfo, dims

tfserving = Blueprint("tfserving", __name__, url_prefix="/v1")

# From tensorflow/core/framework/types.proto; the other names are those of NumPy.
DTYPES = {"float16": "DT_HALF", "float32": "DT_FLOAT", "float64": "DT_DOUBLE"}
DEFAULT_SIGNATURE = "serving_default"


@tfserving.before_request
def check_path() -> None:
    """Report errors in the path before errors in the body."""
    version = (request.view_args or {}).get("version", "0")
    if not re.fullmatch("[0-9]+", version):
        malformed(request.path)
    if len(version) > 19 or int(version) >= 2**63:
        raise InputError(f"Failed to convert version: {version} to numeric.")


@tfserving.get("/models/<name>")
@tfserving.get("/models/<name>/versions/<version>")
@tfserving.get("/models/<name>/labels/<label>")
def status(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Return a GetModelStatusResponse, and load the model if necessary."""
    versions = "any versions" if version is None else f"version {version}"
    model = _find(name, version, None, f"Could not find {versions} of model {name}")
    entry = {
        "version": model.version,
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    return json_response({"model_version_status": [entry]})


@tfserving.get("/models/<name>/metadata")
@tfserving.get("/models/<name>/versions/<version>/metadata")
@tfserving.get("/models/<name>/labels/<label>/metadata")
def metadata(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Return a GetModelMetadataResponse, with a SignatureDefMap where the proto has an Any."""
    model = _find_servable(name, version, label)
    signatures = {
        name: {
            "inputs": {key: _tensor_info(info) for key, info in signature["inputs"].items()},
            "outputs": {key: _tensor_info(info) for key, info in signature["outputs"].items()},
            "method_name": signature["method"],
            "defaults": {},
        }
        for name, signature in model.signatures.items()
    }
    spec = {"name": name, "signature_name": "", "version": model.version}
    return json_response(
        {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}
    )


@tfserving.post("/models/<name>:predict")
@tfserving.post("/models/<name>/versions/<version>:predict")
@tfserving.post("/models/<name>/labels/<label>:predict")
def predict(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Return the scores of tensors in row format (`instances`) or columnar format (`inputs`)."""
    body = decode_json(TensorsRequest, request.get_data(cache=False))
    model = _find_servable(name, version, label)
    missing = 'Serving signature name: "{}" not found in signature def'
    signature = _image_signature(model, body.signature_name, missing)
    parser, preprocess = ImageParser(signature), preprocess_option(request.args)
    in_rows = is_row_format(body)
    images = parser.instances(body.instances) if in_rows else parser.inputs(body.inputs)
    scores: Any = predict_images(model, images, preprocess).tolist()
    if len(signature.outputs) > 1:
        key = signature.scores
        scores = [{key: row} for row in scores] if in_rows else {key: scores}
    return json_response({"predictions" if in_rows else "outputs": scores})


@tfserving.post("/models/<name>:classify")
@tfserving.post("/models/<name>/versions/<version>:classify")
@tfserving.post("/models/<name>/labels/<label>:classify")
def classify(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Return a list of [label, score] for each of `examples`; the labels are "0" to "9"."""
    body = parse_examples_request(request.get_data(cache=False))
    model = _find_servable(name, version, label)
    signature = _image_signature(model, body.signature_name, _NO_SIGNATURE)
    images = ImageParser(signature).examples(body)
    scores = predict_images(model, images, preprocess_option(request.args))
    results = [[[str(digit), score] for digit, score in enumerate(row)] for row in scores.tolist()]
    return json_response({"results": results})


@tfserving.post("/models/<name>:regress")
@tfserving.post("/models/<name>/versions/<version>:regress")
@tfserving.post("/models/<name>/labels/<label>:regress")
def regress(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Return the error of TensorFlow Serving for a model without a regression signature.

    The message is the one with `--enable_signature_method_name_check`, which names the problem;
    without that option it is about the number and the names of the tensors.
    """
    body = parse_examples_request(request.get_data(cache=False))
    model = _find_servable(name, version, label)
    _image_signature(model, body.signature_name, _NO_SIGNATURE)
    raise InputError(
        "Expected regression signature method_name to be tensorflow/serving/regress. "
        f"Was: {model.signatures[body.signature_name or DEFAULT_SIGNATURE]['method']}"
    )


_NO_SIGNATURE = "No signature was found with the name: {}"


@tfserving.get("/models")
def no_name() -> NoReturn:
    raise InputError("Missing model name in request.")


@tfserving.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def malformed(path: str) -> NoReturn:
    raise InputError(f"Malformed request: {request.method} {request.path}")


def _find_servable(name: str, version: str | None, label: str | None) -> ServedModel:
    spec = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return _find(name, version, label, f"Servable not found for request: {spec}")


def _find(name: str, version: str | None, label: str | None, missing: str) -> ServedModel:
    if label is not None:
        raise InputError(f"Unrecognized servable version label: {label}")
    try:
        return get_models().get(name, version)
    except UnknownModelError as error:
        raise UnknownModelError(missing) from error


def _image_signature(model: ServedModel, name: str, missing: str) -> ImageSignature:
    name = name or DEFAULT_SIGNATURE
    if name not in model.signatures:
        raise InputError(missing.format(name))
    if signature := model.find_image_signature(name):
        return signature
    raise InputError(f"signature {name} is not served: it does not map images to scores")


def _tensor_info(info: TensorInfo) -> dict[str, Any]:
    """Return a TensorInfo in protobuf's JSON: int64 as a string, -1 for an unknown size."""
    sizes = [{"size": str(size), "name": ""} for size in dims(info["shape"] or [])]
    return {
        "dtype": DTYPES.get(info["dtype"], f"DT_{info['dtype'].upper()}"),
        "tensor_shape": {"dim": sizes, "unknown_rank": info["shape"] is None},
        "name": info["name"],
    }
