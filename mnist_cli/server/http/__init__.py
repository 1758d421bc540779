"""Runs the app under waitress, in one or more processes."""

from mnist_cli.server.http.connections import IDLE_TIMEOUT_SECONDS, MAX_DESCRIPTORS
from mnist_cli.server.http.listen import ListenOptions, bind, server_url
from mnist_cli.server.http.runner import DRAIN_TIMEOUT_SECONDS, serve
from mnist_cli.server.http.workers import ConnectionCounts, supervise

__all__ = [
    "DRAIN_TIMEOUT_SECONDS",
    "IDLE_TIMEOUT_SECONDS",
    "MAX_DESCRIPTORS",
    "ConnectionCounts",
    "ListenOptions",
    "bind",
    "serve",
    "server_url",
    "supervise",
]
