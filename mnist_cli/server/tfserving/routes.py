"""The REST API v1 of TensorFlow Serving.

Sources, all in the repository tensorflow/serving: paths, and what is answered to which, are those
of `model_servers/http_rest_api_handler.cc` and `http_rest_api_util.cc`; messages are theirs and
those of `util/json_tensor.cc`; the description is `g3doc/api_rest.md`. Where that differs from the
server, here as there:

- `:classify` and `:regress` answer `results`, which the description calls `result`;
- a path or method under /v1 that is not known is 400 "Malformed request", not 404 or 405;
- the status of a label is that of all versions, whatever the label.

What differs from the server on purpose: a model has one version, and no labels; a version beyond
int64 is told of in the body, which is empty there; `:classify` takes the inputs of any signature as
features, not serialized tf.Examples alone; switches such as a dropout rate may be left out; images
may be sent as `b64` in the place of a float tensor; JSON is strict, without NaN and Infinity; of a
signature with several outputs the scores alone are answered, and logits as probabilities.
"""

import re
from typing import Any, NoReturn

from flask import Blueprint, Response, request

from mnist_cli import output
from mnist_cli.errors import InputError, UnknownModelError
from mnist_cli.server import model_metadata
from mnist_cli.server.model_metadata import ImageSignature, ServedModel
from mnist_cli.server.native import preprocess_option
from mnist_cli.server.tfserving.request import (
    ImageParser,
    is_row_format,
    parse_examples_request,
    parse_tensors_request,
)
from mnist_cli.signature import TensorInfo

tfserving = Blueprint("tfserving", __name__, url_prefix="/v1")

# tensorflow/core/framework/types.proto; the others are called as in NumPy.
DTYPES = {"float16": "DT_HALF", "float32": "DT_FLOAT", "float64": "DT_DOUBLE"}
DEFAULT_SIGNATURE = "serving_default"


@tfserving.before_request
def check_path() -> None:
    """What is wrong with the path is told before what is wrong with the body."""
    values = request.view_args or {}
    version = values.get("version", "0")
    if ":" in values.get("name", "") or not re.fullmatch("[0-9]+", version):
        malformed(request.path)
    if len(version) > 19 or int(version) >= 2**63:
        raise InputError(f"Failed to convert version: {version} to numeric.")


@tfserving.get("/models/<name>")
@tfserving.get("/models/<name>/versions/<version>")
@tfserving.get("/models/<name>/labels/<label>")
def status(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Answer a GetModelStatusResponse; a model that is not loaded yet is loaded for it."""
    versions = "any versions" if version is None else f"version {version}"
    model = _find(name, version, None, f"Could not find {versions} of model {name}")
    entry = {
        "version": model.version,
        "state": "AVAILABLE",
        "status": {"error_code": "OK", "error_message": ""},
    }
    return _answer({"model_version_status": [entry]})


@tfserving.get("/models/<name>/metadata")
@tfserving.get("/models/<name>/versions/<version>/metadata")
@tfserving.get("/models/<name>/labels/<label>/metadata")
def metadata(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Answer a GetModelMetadataResponse, with a SignatureDefMap where the proto has an Any."""
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
    return _answer(
        {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}
    )


@tfserving.post("/models/<name>:predict")
@tfserving.post("/models/<name>/versions/<version>:predict")
@tfserving.post("/models/<name>/labels/<label>:predict")
def predict(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Answer the scores of tensors in row form (`instances`) or column form (`inputs`)."""
    body = parse_tensors_request(request.get_data(cache=False))
    model = _find_servable(name, version, label)
    missing = 'Serving signature name: "{}" not found in signature def'
    signature = _image_signature(model, body.signature_name, missing)
    parser = ImageParser(signature, preprocess_option(request.args))
    in_rows = is_row_format(body)
    batch = parser.instances(body.instances) if in_rows else parser.inputs(body.inputs)
    scores: Any = model.predict_proba(batch).tolist()
    if len(signature.outputs) > 1:
        named = signature.scores
        scores = [{named: row} for row in scores] if in_rows else {named: scores}
    return _answer({"predictions" if in_rows else "outputs": scores})


@tfserving.post("/models/<name>:classify")
@tfserving.post("/models/<name>/versions/<version>:classify")
@tfserving.post("/models/<name>/labels/<label>:classify")
def classify(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Answer a list of [label, score] for each of `examples`; the labels are "0" to "9"."""
    body = parse_examples_request(request.get_data(cache=False))
    model = _find_servable(name, version, label)
    signature = _image_signature(
        model, body.signature_name, "No signature was found with the name: {}"
    )
    scores = model.predict_proba(
        ImageParser(signature, preprocess_option(request.args)).examples(body)
    )
    results = [[[str(digit), score] for digit, score in enumerate(row)] for row in scores.tolist()]
    return _answer({"results": results})


@tfserving.post("/models/<name>:regress")
@tfserving.post("/models/<name>/versions/<version>:regress")
@tfserving.post("/models/<name>/labels/<label>:regress")
def regress(name: str, version: str | None = None, label: str | None = None) -> Response:
    """Answer what the server does for a model without a signature for regression.

    The message is that of `--enable_signature_method_name_check`, which tells what is wrong;
    without that option it is about how many tensors there are and their names.
    """
    body = parse_examples_request(request.get_data(cache=False))
    model = _find_servable(name, version, label)
    _image_signature(model, body.signature_name, "No signature was found with the name: {}")
    raise InputError(
        "Expected regression signature method_name to be tensorflow/serving/regress. "
        f"Was: {model.signatures[body.signature_name or DEFAULT_SIGNATURE]['method']}"
    )


@tfserving.get("/models")
def no_name() -> NoReturn:
    raise InputError("Missing model name in request.")


@tfserving.route("/<path:path>", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
def malformed(path: str) -> NoReturn:
    raise InputError(f"Malformed request: {request.method} {request.path}")


def _find_servable(name: str, version: str | None, label: str | None) -> ServedModel:
    spec = f"Latest({name})" if version is None else f"Specific({name}, {version})"
    return _find(name, version, label, f"Servable not found for request: {spec}")


def _find(name: str, version: str | None, label: str | None, missing: str) -> ServedModel:
    if label is not None:  # there are no labels here
        raise InputError(f"Unrecognized servable version label: {label}")
    try:
        return model_metadata.find(name, version)
    except UnknownModelError as error:
        raise UnknownModelError(missing) from error


def _image_signature(model: ServedModel, name: str, missing: str) -> ImageSignature:
    name = name or DEFAULT_SIGNATURE
    if name not in model.signatures:
        raise InputError(missing.format(name))
    if signature := model.image_signature(name):
        return signature
    raise InputError(f"signature {name} does not take images and give scores: it is not served")


def _tensor_info(info: TensorInfo) -> dict[str, Any]:
    """A TensorInfo as protobuf writes it in JSON: int64 as a string, -1 for an unknown size."""
    sizes = info["shape"] or []
    dims = [{"size": str(-1 if size is None else size), "name": ""} for size in sizes]
    return {
        "dtype": DTYPES.get(info["dtype"], f"DT_{info['dtype'].upper()}"),
        "tensor_shape": {"dim": dims, "unknown_rank": info["shape"] is None},
        "name": info["name"],
    }


def _answer(body: dict[str, Any]) -> Response:
    return Response(output.to_json(body), mimetype="application/json")
