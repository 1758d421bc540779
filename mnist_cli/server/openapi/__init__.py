"""The OpenAPI document, and the page that shows it."""

from mnist_cli.server.openapi.routes import openapi

__all__ = [
    "openapi",
]
