"""Renders HTML pages, serves their files and sets their security headers."""

from mimetypes import MimeTypes
from pathlib import Path

from flask import Blueprint, Response, make_response, render_template, send_from_directory

STATIC_FOLDER = Path(__file__).parent / "static"
TEMPLATE_FOLDER = Path(__file__).parent / "templates"

# The pages load everything from this server, and nothing from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

pages = Blueprint("pages", __name__)


@pages.get("/static/<name>")
def asset(name: str) -> Response:
    # The registry of Windows often has another type for scripts, which browsers then refuse.
    mime_type, _ = MimeTypes().guess_type(name)
    return send_from_directory(STATIC_FOLDER, name, mimetype=mime_type)


@pages.get("/favicon.ico")
def favicon() -> Response:
    """Return the icon for pages that name none, such as JSON."""
    return send_from_directory(STATIC_FOLDER, "icon.svg")


def render_page(template: str, **context: object) -> Response:
    response = make_response(render_template(template, **context))
    response.headers["Cache-Control"] = "no-cache"  # the list of models may have changed
    return response


def add_security_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


pages.after_request(add_security_headers)
