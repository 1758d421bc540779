"""Serves a page for drawing digits at `GET /draw`, and to browsers at `GET /`."""

from flask import Blueprint, Response, abort, request, send_from_directory

from mnist_cli.package_data import data_folder
from mnist_cli.server.pages import TEMPLATE_FOLDER, add_security_headers, render_page
from mnist_cli.server.state import get_models

SAMPLES = {
    "MNIST-8.png": "8, handwritten",
    "MNIST-6.png": "6, handwritten",
    "printed-5.png": "5, printed",
    "light-on-dark-3.png": "3, chalk on a blackboard",
    "off-centre-2.png": "2, small on a large sheet",
    "colour-4.png": "4, red on yellow",
    "transparent-7.png": "7, on a transparent background",
    "house-number-407.png": "407, a house number",
}
"""Descriptions of the sample pictures that the page offers, by file name."""

draw = Blueprint("draw", __name__, template_folder=TEMPLATE_FOLDER)
draw.after_request(add_security_headers)


@draw.get("/draw", strict_slashes=True)  # its links are relative
def page() -> Response:
    models = get_models()
    return render_page(
        "draw.html", accuracies=models.accuracies, default=models.default, samples=SAMPLES
    )


@draw.get("/draw/samples/<name>")
def sample(name: str) -> Response:
    if name not in SAMPLES:
        abort(404)
    return send_from_directory(data_folder("samples"), name)


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
