"""Serves a page for drawing a digit at `GET /draw`."""

from flask import Blueprint, Response, send_from_directory

from mnist_cli.server.pages import STATIC_FOLDER, add_security_headers, render_page
from mnist_cli.server.state import get_models

draw = Blueprint("draw", __name__, template_folder=STATIC_FOLDER)
draw.after_request(add_security_headers)


@draw.get("/draw", strict_slashes=True)  # its links are relative
def page() -> Response:
    models = get_models()
    return render_page("draw.html", models=models.names, default=models.default)


@draw.get("/draw/<any('base.css', 'draw.css', 'draw.js', 'icon.svg'):name>")
def asset(name: str) -> Response:
    return send_from_directory(STATIC_FOLDER, name)
