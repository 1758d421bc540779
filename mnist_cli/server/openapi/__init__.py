"""The OpenAPI document and the page that renders it."""

from mnist_cli.server.openapi.routes import openapi

__all__ = ["openapi"]
