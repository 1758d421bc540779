"""Implements `GET /openapi.json` and `GET /docs`."""

import shlex
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from mnist_cli import output
from mnist_cli.server.json_body import json_response
from mnist_cli.server.pages import TEMPLATE_FOLDER, add_security_headers, render_page

openapi = Blueprint("openapi", __name__, template_folder=TEMPLATE_FOLDER)
openapi.after_request(add_security_headers)

Json = dict[str, Any]


@openapi.get("/openapi.json")
def openapi_json() -> Response:
    """Return the document with the current models."""
    response = json_response(_document())
    response.headers["Cache-Control"] = "no-cache"
    return response


@openapi.get("/docs", strict_slashes=True)  # its links are relative
def docs() -> Response:
    """Render the document as a page with a curl command for each example."""
    document = _document()
    components = document["components"]

    def resolve(node: Json) -> Json:
        """Follow a `$ref`, if the node is one."""
        if "$ref" not in node:
            return node
        kind, name = node["$ref"].split("/")[-2:]
        resolved: Json = components[kind][name]
        return resolved

    def commands(path: str, operation: Json) -> Iterator[str]:
        """Yield the curl commands of an operation; they send a picture 7.png."""
        for parameter in map(resolve, operation["parameters"]):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
        url = shlex.quote(request.root_url.rstrip("/") + path)
        needs_token = operation.get("security", document.get("security", [])) != []
        token = ' -H "Authorization: Bearer $MNIST_TOKEN"' if needs_token else ""
        if "requestBody" not in operation:
            yield f"curl{token} {url}"
            return
        for media_type, body in operation["requestBody"]["content"].items():
            if "example" in body:
                data = shlex.quote(output.to_json(body["example"]))
                yield f"curl{token} -H 'Content-Type: {media_type}' -d {data} {url}"
            elif media_type == "image/*":
                yield f"curl{token} -H 'Content-Type: image/png' --data-binary @7.png {url}"
            elif media_type == "multipart/form-data":
                yield f"curl{token} -F file=@7.png {url}"

    return render_page("docs.html", document=document, resolve=resolve, commands=commands)


def _document() -> Json:
    # Imported on demand, so that the server starts faster.
    from mnist_cli.server.openapi.document import document

    return document()
