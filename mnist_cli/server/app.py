"""Puts the app together."""

from collections.abc import Callable
from typing import Any

from flask import Flask

from mnist_cli.server import middleware
from mnist_cli.server.draw import draw
from mnist_cli.server.metrics import metrics
from mnist_cli.server.models import Models
from mnist_cli.server.native import native
from mnist_cli.server.open_inference import inference
from mnist_cli.server.openapi import openapi
from mnist_cli.server.settings import Settings
from mnist_cli.server.tfserving import tfserving


class App(Flask):
    """Flask, for views that are plain functions."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return it as it is: none is a coroutine, which Flask would find out with each request."""
        return func


def create_app(settings: Settings | None = None, *, warm: bool = True) -> Flask:
    """A WSGI app that serves the models.

    The default one is loaded when it returns; else, if it is not to be `warm`, when somebody asks.

    Raises:
        ModelError: there is no such model, or it cannot be loaded.
    """
    settings = settings or Settings()
    models = Models(settings)
    if warm:
        models.get()
    app = App("mnist_cli.server", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["MAX_FORM_MEMORY_SIZE"] = settings.max_body
    app.extensions["settings"] = settings
    app.extensions["models"] = models
    app.register_blueprint(native)
    app.register_blueprint(draw)
    app.register_blueprint(openapi)
    app.register_blueprint(metrics)
    app.register_blueprint(tfserving)
    app.register_blueprint(inference)
    middleware.install(app, settings)
    return app
