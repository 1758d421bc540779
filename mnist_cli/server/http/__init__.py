"""Everything that knows waitress."""

from mnist_cli.server.http.runner import (
    DRAIN_TIMEOUT_SECONDS,
    IDLE_TIMEOUT_SECONDS,
    ListenOptions,
    bind,
    serve,
    server_url,
)
from mnist_cli.server.http.workers import ConnectionCounts, supervise

__all__ = [
    "DRAIN_TIMEOUT_SECONDS",
    "IDLE_TIMEOUT_SECONDS",
    "ConnectionCounts",
    "ListenOptions",
    "bind",
    "serve",
    "server_url",
    "supervise",
]
