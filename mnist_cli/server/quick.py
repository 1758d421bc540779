"""Which requests are answered so soon that to wake a thread for them would take longer.

The loop over the sockets answers these itself. Nobody else is answered meanwhile, so what may take
long is never among them: pictures to decode, large bodies, models that are still to be loaded.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask

# 32,000 pixels at most, each a digit and a comma: they take a few milliseconds, noise some ten.
MAX_BODY = 64 * 2**10


class Quick:
    """Tells them by what waitress has parsed."""

    def __init__(self, app: "Flask", url_prefix: str) -> None:
        """Take the app that answers them, and where it is mounted."""
        from mnist_cli.server.ops import HEALTH_PATHS  # imports Flask, which the app needs anyway

        self._models = app.extensions["models"]
        self._health = {url_prefix + path for path in HEALTH_PATHS}
        self._predict = url_prefix + "/predict"

    def is_health(self, request: Any) -> bool:
        """Whether it asks how the server is."""
        return not request.error and request.path in self._health  # what is no HTTP has no path

    def is_small_picture(self, request: Any) -> bool:
        """Whether it is the pixels of one small picture, for the model that is loaded."""
        return (
            not request.error
            and request.path == self._predict
            and request.headers.get("CONTENT_TYPE", "").startswith("application/json")
            and request.body_bytes_received <= MAX_BODY
            # No other model is named, nor can one be behind an escape.
            and "model" not in request.query
            and "%" not in request.query
            # To find several digits takes tens of milliseconds.
            and "multi" not in request.query
            and self._models.is_warm
        )
