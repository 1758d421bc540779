"""Accepts connections within the limit on open files, and closes idle ones."""

import logging
import sys
import time

from mnist_cli.server.http.channel import Channel, Server
from mnist_cli.server.http.workers import ConnectionCounts

# Connections are closed after this long without input, or with output that nobody reads.
IDLE_TIMEOUT_SECONDS = 30
# Before a worker with more connections than another accepts one.
ACCEPT_DELAY_SECONDS = 0.005
# The largest number of connections of a process; each costs memory and time of the event loop.
# On Windows, `select` takes 512 sockets, among them 200 from the backlog when the server stops.
MAX_CONNECTIONS = 300 if sys.platform == "win32" else 4000
# A socket, and a temporary file for a large request body or response.
DESCRIPTORS_PER_CONNECTION = 2
# For everything else: an idle server has 10, and requests open files of models and pictures.
RESERVED_DESCRIPTORS = 100
# The limit on open files that a process needs for MAX_CONNECTIONS.
MAX_DESCRIPTORS = MAX_CONNECTIONS * DESCRIPTORS_PER_CONNECTION + RESERVED_DESCRIPTORS
# Between two warnings that there are too many connections.
WARNING_INTERVAL_SECONDS = 60.0

logger = logging.getLogger(__name__)


def connection_limit() -> int:
    """Raise the limit on open files as far as necessary; return how many connections fit in it."""
    if sys.platform == "win32":  # which has no limit of this kind
        return MAX_CONNECTIONS
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(MAX_DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        except (OSError, ValueError) as error:  # a sandbox may forbid it
            logger.warning("cannot raise the limit of %d open files: %s", soft, error)
            wanted = soft
    return max(1, (wanted - RESERVED_DESCRIPTORS) // DESCRIPTORS_PER_CONNECTION)


class Connections:
    """The connections of a server."""

    def __init__(self, server: Server, counts: ConnectionCounts | None) -> None:
        self._server = server
        self._counts = counts
        self._limit = connection_limit()
        self._is_accept_due = False
        self._warned_at = -WARNING_INTERVAL_SECONDS

    def schedule_accept(self) -> None:
        """Have a connection accepted after all events of this poll were handled.

        It may get the descriptor of a connection that was closed meanwhile, and then would get the
        events of that one, too.
        """
        self._is_accept_due = True

    def accept_if_due(self) -> None:
        """Accept a connection if there is room, but later than a worker with fewer connections.

        Without the delay one worker, the first to wake up, could get nearly all connections.
        """
        if not self._is_accept_due:
            return
        self._is_accept_due = False
        if self._counts and self._counts.is_above_minimum:
            time.sleep(ACCEPT_DELAY_SECONDS)
        if len(self._server.active_channels) >= self._limit:
            cause = "the maximum"
            if self._limit < MAX_CONNECTIONS:
                cause = "as many as the limit on open files (ulimit -n) allows"
            if not self._make_room(f"{self._limit} connections are open, {cause}"):
                return
        self._accept()

    def accept_backlog(self) -> None:
        """Accept all connections that are waiting."""
        while self._accept():
            pass

    def clean_up(self, now: float) -> None:
        """Close idle connections, and resume accepting new ones; called once a second.

        waitress closes a connection when its socket is writable, which it never is if the client
        does not read.
        """
        for channel in list(self._server.active_channels.values()):
            if not channel.requests and channel.last_activity < now - IDLE_TIMEOUT_SECONDS:
                channel.handle_close()
        self._server.accepting = True

    def _accept(self) -> bool:
        """Accept a connection; return False if none is waiting."""
        server = self._server
        try:
            connection, address = server.socket.accept()
            server.set_socket_options(connection)
        except (BlockingIOError, ConnectionError):  # a worker was faster, or the client has left
            return False
        except OSError as failure:  # there are too many open files in spite of the limit
            self._make_room(f"cannot accept a connection: {failure.strerror}")
            return False
        server.channel_class(server, connection, address, server.adj, map=server._map)
        return True

    def _make_room(self, reason: str) -> bool:
        """Close the connection that has been idle for the longest time.

        If there is none, stop accepting connections for a moment: they wait in the backlog.
        """
        if time.monotonic() - self._warned_at >= WARNING_INTERVAL_SECONDS:
            self._warned_at = time.monotonic()
            logger.warning("%s; idle ones are closed for new ones", reason)
        idlest = self._find_idlest()
        if idlest is None:
            self._server.accepting = False
            return False
        idlest.handle_close()
        return True

    def _find_idlest(self) -> Channel | None:
        """Return the connection without traffic for the longest time; None if all have requests.

        It is one of those that have sent a request, or one of those that have not yet, whichever
        are more. So many connections of one kind do not displace the others.
        """
        channels = self._server.active_channels.values()
        idle = [channel for channel in channels if not channel.requests]
        used_are_more = 2 * sum(channel.has_sent_request for channel in idle) >= len(idle)
        idle.sort(
            key=lambda channel: (channel.has_sent_request != used_are_more, channel.last_activity)
        )
        return next((channel for channel in idle if not channel.has_input), None)
