"""Gives typed access to the settings and models of an app."""

from flask import Flask, current_app

from mnist_cli.server.models import Models
from mnist_cli.server.settings import Settings


def init_state(app: Flask, settings: Settings, models: Models) -> None:
    app.extensions["mnist_settings"] = settings
    app.extensions["mnist_models"] = models


def get_settings(app: Flask | None = None) -> Settings:
    """Return the settings of an app, by default the one that handles the current request."""
    settings: Settings = (current_app if app is None else app).extensions["mnist_settings"]
    return settings


def get_models(app: Flask | None = None) -> Models:
    """Return the models of an app, by default the one that handles the current request."""
    models: Models = (current_app if app is None else app).extensions["mnist_models"]
    return models
