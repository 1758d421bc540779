"""What the pages for people have in common."""

from pathlib import Path

from flask import Response, make_response, render_template

STATIC = Path(__file__).parent / "static"

# A page has all it needs from this server, and asks nobody else.
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


def render(template: str, **context: object) -> Response:
    """Answer a page, with the models that the server has now."""
    response = make_response(render_template(template, **context))
    response.headers["Cache-Control"] = "no-cache"  # the models may have changed
    return response


def secure(response: Response) -> Response:
    """Let a browser take the page for nothing but what it is."""
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
