"""`GET /draw`: a page on which people draw a digit and watch the model read it."""

from pathlib import Path

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    render_template,
    send_from_directory,
)

draw = Blueprint("draw", __name__, template_folder="static")

STATIC = Path(__file__).parent / "static"

# The page has all it needs from this server, and asks nobody else.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    ]
)


@draw.get("/draw")
def page() -> Response:
    """Answer the page, with the models of this server to choose among."""
    models = current_app.extensions["models"]
    html = render_template("draw.html", models=models.names, default=models.default.name)
    response = make_response(html)
    response.headers["Cache-Control"] = "no-cache"  # the models may have changed
    return response


@draw.get("/draw/<any('draw.css', 'draw.js', 'icon.svg'):name>")
def asset(name: str) -> Response:
    """Answer a file that the page names."""
    return send_from_directory(STATIC, name)


@draw.after_request
def _secure(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
