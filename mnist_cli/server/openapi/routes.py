"""`GET /openapi.json` and `/docs`: what the server can be asked, for programs and people."""

import shlex
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request, send_from_directory

from mnist_cli import output
from mnist_cli.server.json_body import json_response
from mnist_cli.server.pages import STATIC_FOLDER, add_security_headers, render_page

openapi = Blueprint("openapi", __name__, template_folder=STATIC_FOLDER)
openapi.after_request(add_security_headers)

Json = dict[str, Any]


@openapi.get("/openapi.json")
def openapi_json() -> Response:
    """Answer the document, with the models that the server has now."""
    response = json_response(_document())
    response.headers["Cache-Control"] = "no-cache"
    return response


@openapi.get("/docs")
def docs() -> Response:
    """Answer the document as a page, with a command for each example."""
    document = _document()
    components = document["components"]

    def resolve(described: Json) -> Json:
        """What is described, here or where a reference leads."""
        if "$ref" not in described:
            return described
        kind, name = described["$ref"].split("/")[-2:]
        resolved: Json = components[kind][name]
        return resolved

    def commands(path: str, operation: Json) -> Iterator[str]:
        """An operation with its examples, for a shell in which 7.png is a picture."""
        for parameter in map(resolve, operation["parameters"]):
            if parameter["in"] == "path":
                path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
        url = shlex.quote(request.root_url.rstrip("/") + path)
        is_public = operation.get("security", document.get("security", [])) == []
        token = "" if is_public else ' -H "Authorization: Bearer $MNIST_TOKEN"'
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


@openapi.get("/docs/docs.css")
def style() -> Response:
    """Answer how the page looks."""
    return send_from_directory(STATIC_FOLDER, "docs.css")


def _document() -> Json:
    # Not imported before somebody asks: the server is up sooner.
    from mnist_cli.server.openapi.document import document

    return document()
