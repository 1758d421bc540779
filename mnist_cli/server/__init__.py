"""The HTTP server: a plain Flask app that any WSGI server can run."""

from mnist_cli.server.app import create_app

__all__ = ["create_app"]
