"""Creates the Flask app."""

from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.routing import BaseConverter

from mnist_cli.server import middleware
from mnist_cli.server.draw import draw
from mnist_cli.server.metrics import metrics
from mnist_cli.server.models import Models
from mnist_cli.server.native import native
from mnist_cli.server.open_inference import open_inference
from mnist_cli.server.openapi import openapi
from mnist_cli.server.pages import pages
from mnist_cli.server.settings import Settings
from mnist_cli.server.state import init_state
from mnist_cli.server.tfserving import tfserving


class SegmentConverter(BaseConverter):
    """Matches names in paths; what follows a colon is a method of TensorFlow Serving."""

    regex = "[^/:]+"
    part_isolating = True


class App(Flask):
    """A Flask app whose views are plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view unchanged; Flask checks for a coroutine with every request."""
        return func


def create_app(settings: Settings | None = None, *, warm: bool = True) -> Flask:
    """Create a WSGI app that serves the models.

    Args:
        settings: the defaults if None.
        warm: whether to load the default model now, not with the first request.

    Raises:
        ModelError: the default model does not exist, or cannot be loaded.
    """
    settings = settings or Settings()
    models = Models(settings)
    if warm:
        models.get()
    app = App("mnist_cli.server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body
    app.url_map.strict_slashes = False
    app.url_map.converters["default"] = SegmentConverter
    init_state(app, settings, models)
    for blueprint in (native, pages, draw, openapi, metrics, tfserving, open_inference):
        app.register_blueprint(blueprint)
    middleware.install(app)
    return app
