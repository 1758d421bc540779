"""`/openapi.json` and `/docs` describe what the server does."""

import argparse
import copy
import html
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import jsonschema_rs
import pytest
import schemathesis

from mnist_cli.loader import find_models
from mnist_cli.records import DigitRecord, DigitsRecord, ErrorRecord, PredictionRecord
from mnist_cli.server.app import create_app
from tests.running import SAMPLES
from tests.serving import Answer, Server, serving

TOKEN = "secret"
OPEN = {"/health", "/v2/health/live", "/v2/health/ready", "/draw", "/docs", "/openapi.json"}


@pytest.fixture(scope="module")
def guarded() -> Iterator[Server]:
    """A server behind a proxy, with a token."""
    with serving("--quiet", "--url-prefix", "/digits", env={"MNIST_TOKEN": TOKEN}) as server:
        yield server


@pytest.fixture(scope="module")
def document(server: Server) -> Any:
    return server.ask("GET", "/openapi.json").json


def test_all_routes_are_described() -> None:
    app = create_app()
    # Assets of the pages, and the fallback of /v1.
    others = {"draw.sample", "pages.asset", "pages.favicon", "tfserving.malformed"}
    routes = {
        (rule.rule.replace("<", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.endpoint not in others
    }
    document = app.test_client().get("/openapi.json").json
    assert document is not None
    assert routes == {
        (path, method) for path, found in document["paths"].items() for method in found
    }


def test_the_document_is_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    schemathesis.openapi.from_dict(document).validate()


def test_references_resolve_and_all_components_are_used(guarded: Server) -> None:
    text = guarded.ask("GET", "/digits/openapi.json").body.decode()
    components = json.loads(text)["components"]
    del components["securitySchemes"]  # named without a reference
    found = {f"{kind}/{name}" for kind, described in components.items() for name in described}
    assert set(re.findall(r'"#/components/(\w+/[\w-]+)"', text)) == found


def test_request_types_have_constraints(document: Any) -> None:
    pixels = document["components"]["schemas"]["PicArrayRequest"]["properties"]["picArray"]
    assert pixels["items"]["items"]["maximum"] == 255
    inputs = document["components"]["schemas"]["RequestInput"]["properties"]
    assert inputs["datatype"]["enum"] == ["FP32", "FP64", "BOOL"]


def test_every_operation_has_an_id_that_can_name_a_function(document: Any) -> None:
    names = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]
    assert all(name.isidentifier() for name in names)
    assert len(names) == len(set(names)) >= 33
    assert {"native_predict", "tfserving_predict", "open_inference_infer"} < set(names)


def _schemas(node: Any) -> Iterator[dict[str, Any]]:
    """All objects in a document."""
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node:
        if isinstance(value, dict | list):
            yield from _schemas(value)


def test_schemas_have_what_generators_of_clients_need(document: Any) -> None:
    found = list(_schemas({name: document[name] for name in ("paths", "components")}))
    for schema in found:
        if "array" in schema.get("type", ()):
            assert "items" in schema, schema
        if isinstance(values := schema.get("enum"), list):
            assert schema["type"] == "string"  # no generator has an enum of booleans
            assert all(isinstance(value, str) for value in values)
        if "properties" in schema:  # else they make a union of it instead of a class
            assert not schema.keys() & {"oneOf", "anyOf"}, schema
        for body in schema.get("content", {}).values():
            assert "schema" in body


def test_optional_fields_are_optional(document: Any) -> None:
    components = document["components"]
    required = {name: schema.get("required") for name, schema in components["schemas"].items()}
    assert required["PicArrayRequest"] == ["picArray"]
    assert required["TensorsRequest"] == []
    assert required["ExamplesRequest"] == ["examples"]
    assert required["InferRequest"] == ["inputs"]
    assert required["RequestInput"] == ["name", "shape", "datatype"]
    for parameter in components["parameters"].values():
        assert parameter.get("required", False) is (parameter["in"] == "path")


def test_the_models_of_the_server_are_named(document: Any) -> None:
    names = [model.name for model in find_models()]
    for parameter in ("name", "model"):
        assert document["components"]["parameters"][parameter]["schema"]["enum"] == names


def test_prefix_and_token(guarded: Server, document: Any) -> None:
    described = guarded.ask("GET", "/digits/openapi.json").json
    assert (document["servers"], described["servers"]) == ([{"url": "/"}], [{"url": "/digits"}])
    assert "security" not in document and described["security"] == [{"token": []}]
    for path, operations in described["paths"].items():
        for operation in operations.values():
            is_open = path in OPEN
            assert ("401" in operation["responses"]) is not is_open
            assert operation.get("security") == ([] if is_open else None)


def _commands(server: Server, prefix: str = "") -> list[str]:
    page = server.ask("GET", f"{prefix}/docs").body.decode()
    return [
        html.unescape(found) for found in re.findall("<pre [^>]*><code>(.*?)</code></pre>", page)
    ]


def _run(server: Server, command: str) -> Answer:
    """Send the request of a curl command."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    parser.add_argument("--data-binary", dest="file")
    parser.add_argument("-F", dest="form")
    parser.add_argument("url")
    words = [word.replace("$MNIST_TOKEN", TOKEN) for word in shlex.split(command)]
    assert words[0] == "curl"
    curl = parser.parse_args(words[1:])
    headers = dict(header.split(": ") for header in curl.headers)
    path = curl.url.removeprefix(f"http://{server.host}:{server.port}")
    assert path.startswith("/")
    body: bytes | None = curl.data.encode() if curl.data else None
    png = (SAMPLES / "MNIST-7.png").read_bytes()
    if curl.file:
        assert curl.file == "@7.png"
        body = png
    if curl.form:
        assert curl.form == "file=@7.png"
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="7.png"\r\n\r\n'
        body = head + png + b"\r\n--x--\r\n"
        headers["Content-Type"] = "multipart/form-data; boundary=x"
    return server.ask("POST" if body else "GET", path, body, **headers)


def test_the_commands_of_the_page_work(guarded: Server) -> None:
    commands = _commands(guarded, "/digits")
    assert len([command for command in commands if command.endswith("/predict")]) == 4
    for command in commands:
        answer = _run(guarded, command)
        # These routes always return an error.
        refused = re.search(r"labels/\w+[/:]|:regress$|/v1/models$", command)
        assert answer.status == (400 if refused else 200), command
        if re.search("/predict$|/v2/models/.*/infer$", command):
            found = answer.json
            scores = found["outputs"][0]["data"] if "outputs" in found else None
            digit = scores.index(max(scores)) if scores else found["prediction"]
            assert digit == 7


def test_responses_match_their_schemas(server: Server, document: Any) -> None:
    components = copy.deepcopy(document["components"])
    for schema in components["schemas"].values():
        schema.setdefault("additionalProperties", False)  # report fields without a description
    for command in _commands(server):
        url = shlex.split(command)[-1].removeprefix(f"http://{server.host}:{server.port}")
        [path] = [path for path in document["paths"] if _matches(path, url)]
        [operation] = document["paths"][path].values()
        options = ("", "?scores=1&image=1", "?scores=1&image=1&multi=1")
        for query in options if url in ("/", "/predict") else options[:1]:
            answer = _run(server, f"{command}{query}")
            response = operation["responses"][str(answer.status)]
            if "$ref" in response:
                response = components["responses"][response["$ref"].split("/")[-1]]
            if media_type := response["content"].get("application/json"):
                schema = {**media_type["schema"], "components": components}
                jsonschema_rs.validate(schema, answer.json)


def test_every_field_of_a_record_has_a_description(document: Any) -> None:
    for record in (PredictionRecord, DigitRecord, DigitsRecord, ErrorRecord):
        schema = document["components"]["schemas"][record.__name__]
        assert list(schema["properties"]) == list(get_type_hints(record))
        for field in schema["properties"].values():
            assert "description" in field or "$ref" in field.get("items", {})
    scores = document["components"]["schemas"]["PredictionRecord"]["properties"]["scores"]
    assert (scores["minItems"], scores["items"]["maximum"]) == (10, 1)


def _matches(path: str, url: str) -> bool:
    return re.fullmatch(re.sub(r"{\w+}", "[^/:]+", path), url) is not None


def test_the_page_has_all_routes_and_loads_nothing_from_elsewhere(
    guarded: Server, document: Any
) -> None:
    answer = guarded.ask("GET", "/digits/docs")
    page = answer.body.decode()
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    for path, operations in document["paths"].items():
        for method in operations:
            assert f"<b>{method.upper()}</b> <code>{path}</code>" in page
    links = set(re.findall('(?:href|src)="([^"]*)"', page))
    assert {"static/docs.css", "static/docs.js", "static/base.css", "openapi.json"} <= links
    for link in links:
        if link.startswith("#"):
            assert f'id="{link[1:]}"' in page
        else:
            assert guarded.ask("GET", f"/digits/{link}").status == 200


@pytest.mark.slow
def test_random_requests_cause_no_internal_error(tmp_path: Path) -> None:
    with serving("--quiet", env={"MNIST_TOKEN": TOKEN}) as server:
        config = Path(__file__).with_name("schemathesis.toml")
        url = f"http://{server.host}:{server.port}/openapi.json"
        header = f"Authorization: Bearer {TOKEN}"
        command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={config}", "run", url]
        command += ["--header", header, "--max-examples=5", "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        # The log would have errors that the client does not see.
        assert server.stop() == (0, "")
