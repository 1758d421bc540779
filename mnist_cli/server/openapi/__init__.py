"""Serves the OpenAPI document, and a page that renders it."""

from mnist_cli.server.openapi.routes import openapi

__all__ = ["openapi"]
