"""`GET /draw`: a page on which people draw a digit and watch the model read it."""

from flask import Blueprint, Response, current_app, send_from_directory

from mnist_cli.server import pages

draw = Blueprint("draw", __name__, template_folder="static")
draw.after_request(pages.secure)


@draw.get("/draw")
def page() -> Response:
    """Answer the page, with the models of this server to choose among."""
    models = current_app.extensions["models"]
    return pages.render("draw.html", models=models.names, default=models.default)


@draw.get("/draw/<any('base.css', 'draw.css', 'draw.js', 'icon.svg'):name>")
def asset(name: str) -> Response:
    """Answer a file that the page names."""
    return send_from_directory(pages.STATIC, name)
