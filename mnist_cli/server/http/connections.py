"""Accepts connections, and closes idle ones."""

import time

from mnist_cli.server.http.channel import Server
from mnist_cli.server.http.workers import ConnectionCounts

# Connections are closed after this long without input, or with output that nobody reads.
IDLE_TIMEOUT_SECONDS = 30
# Before a worker with more connections than another accepts one.
ACCEPT_DELAY_SECONDS = 0.005


class Connections:
    """The connections of a server."""

    def __init__(self, server: Server, counts: ConnectionCounts | None) -> None:
        self._server = server
        self._counts = counts

    def balance_accepts(self) -> None:
        """Accept a connection, but later than a worker with fewer connections.

        Without the delay one worker, the first to wake up, could get nearly all connections.
        """
        if self._counts and self._counts.is_above_minimum:
            time.sleep(ACCEPT_DELAY_SECONDS)
        self._accept()

    def accept_backlog(self) -> None:
        """Accept all connections that are waiting."""
        while self._accept():
            pass

    def close_idle(self, now: float) -> None:
        """Close the connections that nothing was received from or sent to for too long.

        waitress waits until their sockets are writable, which they are not if nobody reads.
        """
        for channel in list(self._server.active_channels.values()):
            if not channel.requests and channel.last_activity < now - IDLE_TIMEOUT_SECONDS:
                channel.handle_close()

    def _accept(self) -> bool:
        """Accept a connection; return False if none is waiting."""
        server = self._server
        try:
            connection, address = server.socket.accept()
        except BlockingIOError:  # another worker was faster
            return False
        server.set_socket_options(connection)
        server.channel_class(server, connection, address, server.adj, map=server._map)
        return True
