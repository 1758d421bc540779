"""Renders HTML pages and sets their security headers."""

from pathlib import Path

from flask import Response, make_response, render_template

STATIC_FOLDER = Path(__file__).parent / "static"

# The pages load everything from this server, and nothing from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def render_page(template: str, **context: object) -> Response:
    response = make_response(render_template(template, **context))
    response.headers["Cache-Control"] = "no-cache"  # the list of models may have changed
    return response


def add_security_headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
