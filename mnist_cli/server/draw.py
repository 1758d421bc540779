"""Serves a page for drawing digits at `GET /draw`, and to browsers at `GET /`."""

from flask import Blueprint, Response, request

from mnist_cli.server.pages import TEMPLATE_FOLDER, add_security_headers, render_page
from mnist_cli.server.state import get_models

draw = Blueprint("draw", __name__, template_folder=TEMPLATE_FOLDER)
draw.after_request(add_security_headers)


@draw.get("/draw", strict_slashes=True)  # its links are relative
def page() -> Response:
    models = get_models()
    return render_page("draw.html", models=models.names, default=models.default)


def page_for_browsers() -> Response | None:
    """Return the page for `GET /` if the client prefers HTML to JSON."""
    if request.path != "/" or request.method not in ("GET", "HEAD"):
        return None
    preferred = request.accept_mimetypes.best_match(("application/json", "text/html"))
    if preferred != "text/html":
        return None
    if not request.environ["PATH_INFO"]:  # the URL prefix without a slash
        return Response(status=302, headers={"Location": f"{request.script_root}/"})
    response = add_security_headers(page())
    response.vary.add("Accept")
    return response
