"""Binds the listening socket."""

import socket
from dataclasses import dataclass

from mnist_cli.errors import BindError
from mnist_cli.server.settings import url_host

BACKLOG = 1024
# On Windows, SO_REUSEADDR would allow two servers on one port.
ADDRESS_OPTION = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)


@dataclass(frozen=True)
class ListenOptions:
    """Where and how the server listens."""

    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 1
    url_prefix: str = ""
    trusted_proxy: str | None = None


def bind(options: ListenOptions) -> socket.socket:
    """Bind the address and listen; port 0 picks a free one.

    Raises:
        BindError: the address is in use, not permitted, or not one of this machine.
    """
    try:
        [(family, kind, protocol, _, address), *_] = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, ADDRESS_OPTION, 1)
        bound.bind(address)
        bound.listen(BACKLOG)  # from here on clients wait instead of being refused
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or "not a host name"
        raise BindError(
            f"cannot listen on {options.host} port {options.port}: {reason}; "
            "choose another with --host or --port"
        ) from error
    return bound


def server_url(bound: socket.socket, options: ListenOptions) -> str:
    """Return the URL of the server."""
    host, port = bound.getsockname()[:2]
    return f"http://{url_host(host)}:{port}{options.url_prefix}/"
