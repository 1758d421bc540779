"""Implements `GET /openapi.json` and `GET /docs`."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from mnist_cli import output
from mnist_cli.server.json_body import json_response
from mnist_cli.server.pages import TEMPLATE_FOLDER, add_security_headers, render_page
from mnist_cli.server.state import get_settings

openapi = Blueprint("openapi", __name__, template_folder=TEMPLATE_FOLDER)
openapi.after_request(add_security_headers)

Json = dict[str, Any]


@dataclass(frozen=True)
class Example:
    """A request that the page shows as a command, and sends."""

    command: str
    path: str
    """Relative to the page."""
    media_type: str = ""
    """Empty for requests without a body."""
    body: str = ""
    """Empty for pictures."""


@openapi.get("/openapi.json")
def openapi_json() -> Response:
    """Return the document with the current models."""
    response = json_response(_document())
    response.headers["Cache-Control"] = "no-cache"
    return response


@openapi.get("/docs", strict_slashes=True)  # its links are relative
def docs() -> Response:
    """Render the document as a page with examples of requests."""
    document = _document()
    root = request.root_url.rstrip("/")
    components = document["components"]

    def resolve(node: Json) -> Json:
        """Follow a `$ref`, if the node is one."""
        if "$ref" not in node:
            return node
        kind, name = node["$ref"].split("/")[-2:]
        resolved: Json = components[kind][name]
        return resolved

    def examples(path: str, operation: Json) -> Iterator[Example]:
        """Yield the examples of an operation; pictures are a file 7.png."""
        for parameter in map(resolve, operation["parameters"]):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
        needs_token = operation.get("security", document.get("security", [])) != []
        curl = 'curl -H "Authorization: Bearer $MNIST_TOKEN"' if needs_token else "curl"
        url = shlex.quote(root + path)
        relative = f".{path}"
        if "requestBody" not in operation:
            yield Example(f"{curl} {url}", relative)
            return
        for media_type, body in operation["requestBody"]["content"].items():
            if "example" in body:
                data = output.to_json(body["example"])
                command = f"{curl} -H 'Content-Type: {media_type}' -d {shlex.quote(data)} {url}"
                yield Example(command, relative, media_type, data)
            elif media_type == "image/*":
                command = f"{curl} -H 'Content-Type: image/png' --data-binary @7.png {url}"
                yield Example(command, relative, media_type)
            elif media_type == "multipart/form-data":
                yield Example(f"{curl} -F file=@7.png {url}", relative, media_type)

    return render_page(
        "docs.html",
        document=document,
        resolve=resolve,
        examples=examples,
        python=_python_example(f"{root}/predict", bool(get_settings().token)),
    )


def _python_example(url: str, needs_token: bool) -> str:
    """Return a Python program that sends a picture 7.png."""
    modules = "json, os, urllib.request" if needs_token else "json, urllib.request"
    token = ', "Authorization": f"Bearer {os.environ[\'MNIST_TOKEN\']}"' if needs_token else ""
    return f"""\
import {modules}

picture = open("7.png", "rb").read()
headers = {{"Content-Type": "image/png"{token}}}
request = urllib.request.Request({json.dumps(url)}, picture, headers)
print(json.load(urllib.request.urlopen(request)))
"""


def _document() -> Json:
    # Imported on demand, so that the server starts faster.
    from mnist_cli.server.openapi.document import document

    return document()
