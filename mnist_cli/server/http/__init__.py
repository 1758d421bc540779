"""Everything that knows waitress."""

from mnist_cli.server.http.runner import DRAIN_SECONDS, SILENCE_SECONDS, Listen, bind, serve, url
from mnist_cli.server.http.workers import Shares, supervise

__all__ = [
    "DRAIN_SECONDS",
    "SILENCE_SECONDS",
    "Listen",
    "Shares",
    "bind",
    "serve",
    "supervise",
    "url",
]
