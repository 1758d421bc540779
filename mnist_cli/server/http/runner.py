"""Runs the event loop of waitress, and shuts it down gracefully."""

import logging
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from mnist_cli.server.http.channel import Channel, Server
from mnist_cli.server.http.connections import Connections
from mnist_cli.server.http.listen import BACKLOG, ListenOptions
from mnist_cli.server.http.workers import ConnectionCounts
from mnist_cli.server.settings import Settings

if TYPE_CHECKING:
    from flask import Flask

# How long requests in flight may take to finish after a signal to stop.
DRAIN_TIMEOUT_SECONDS = 30.0
# How long idle connections stay open after the signal: a request that a client sends at that
# moment is answered, where closing the connection would reset it.
KEEP_ALIVE_GRACE_SECONDS = 1.0
# Sockets are polled this often while the event loop answers requests.
POLL_INTERVAL_SECONDS = 0.005
# Read at once; 84x85 pixels as JSON are 28 KB.
RECV_BYTES = 64 * 2**10
# How often idle connections are closed, and how often a worker checks whether its parent lives.
CLEANUP_INTERVAL_SECONDS = 1
# A second signal to a worker within this time is the first one, passed on by its parent.
DUPLICATE_SIGNAL_SECONDS = 1.0
STOP_SIGNALS = [signal.SIGTERM, signal.SIGINT]
if sys.platform == "win32":
    STOP_SIGNALS.append(signal.SIGBREAK)  # Ctrl-Break, the end of the session, or a closed window


def serve(
    app: "Flask",
    bound: socket.socket,
    options: ListenOptions,
    warm_up: Callable[[], None],
    counts: ConnectionCounts | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C, then finish requests in flight; a second signal stops at once.

    Args:
        app: the WSGI app.
        bound: the listening socket.
        options: how to listen.
        warm_up: loads the model, in a thread, so that health checks are answered meanwhile. If it
            raises an exception, the server stops and raises it, too.
        counts: the connections of all workers that share the socket.
    """
    _Runner(app, bound, options, counts).run(warm_up)


class _Runner:
    def __init__(
        self,
        app: "Flask",
        bound: socket.socket,
        options: ListenOptions,
        counts: ConnectionCounts | None,
    ) -> None:
        # Imports NumPy and more, which takes longer than reporting that a port is taken.
        from mnist_cli.server.http.microbatch import MicroBatcher
        from mnist_cli.server.state import get_settings

        self._threads = options.threads
        self._counts = counts
        self._batcher = MicroBatcher(app, options.url_prefix)
        # Channels whose next request the event loop answers.
        self._queue: deque[Channel] = deque()
        self._loop_thread = threading.get_ident()
        self._stop_requested_at: float | None = None
        self._failures: list[Exception] = []
        self._server = _create_server(app, bound, options, get_settings(app))
        self._server.add_task = self._add_task
        self._server.pull_trigger = self._pull_trigger
        self._connections = Connections(self._server, counts)
        self._server.handle_accept = self._connections.schedule_accept
        self._server.maintenance = self._connections.clean_up

    def run(self, warm_up: Callable[[], None]) -> None:
        for name in STOP_SIGNALS:
            if signal.getsignal(name) != signal.SIG_IGN:
                signal.signal(name, self._stop)
        threading.Thread(target=self._warm_up, args=(warm_up,), daemon=True).start()
        counts = self._counts
        try:
            while self._stop_requested_at is None and not (counts and counts.is_orphaned):
                self._poll_once(timeout=CLEANUP_INTERVAL_SECONDS)
                if counts:
                    counts.update(len(self._server.active_channels))
            self._drain()
            self._server.task_dispatcher.shutdown()
        except SystemExit:
            pass
        wasyncore.close_all(self._server._map)
        if self._failures:
            raise self._failures[0]

    def _warm_up(self, warm_up: Callable[[], None]) -> None:
        try:
            warm_up()
        except Exception as error:
            self._failures.append(error)
            self._stop()

    def _stop(self, *_: object) -> None:
        if self._stop_requested_at is None:
            self._stop_requested_at = time.monotonic()
            self._server.trigger.pull_trigger()
            return
        elapsed = time.monotonic() - self._stop_requested_at
        if not self._counts or elapsed > DUPLICATE_SIGNAL_SECONDS:
            raise SystemExit

    def _add_task(self, channel: Channel) -> None:
        """Queue a request for the event loop or the threads; health checks come first.

        With several threads, images are left to them, to be predicted in parallel.
        """
        request = channel.requests[0]
        if self._batcher.is_health_check(request):
            self._queue.appendleft(channel)
        elif self._threads == 1 and self._batcher.is_small_image(request):
            self._queue.append(channel)
        else:
            self._server.task_dispatcher.add_task(channel)

    def _pull_trigger(self) -> None:
        if threading.get_ident() != self._loop_thread:  # the event loop itself is awake
            self._server.trigger.pull_trigger()

    def _poll_once(self, timeout: float) -> None:
        """Poll the sockets, then answer queued requests until the next poll is due."""
        timeout = 0 if self._queue else timeout
        wasyncore.loop(timeout=timeout, use_poll=True, map=self._server._map, count=1)
        self._connections.accept_if_due()
        deadline = time.monotonic() + POLL_INTERVAL_SECONDS
        defer = self._server.task_dispatcher.add_task
        while self._queue and time.monotonic() < deadline:
            for channel in self._batcher.next_batch(self._queue, defer):
                try:
                    channel.service_in_loop()
                except Exception:
                    channel.handle_error()

    def _drain(self) -> None:
        """Close the listening socket, and answer the requests that clients have sent."""
        self._server.is_draining = True
        self._connections.accept_backlog()
        self._server.accepting = False
        self._server.del_channel()
        self._server.socket.close()
        started = time.monotonic()
        while (elapsed := time.monotonic() - started) < DRAIN_TIMEOUT_SECONDS and any(
            channel.is_busy or elapsed < KEEP_ALIVE_GRACE_SECONDS
            for channel in list(self._server.active_channels.values())
        ):
            self._poll_once(timeout=0.1)


def _create_server(
    app: "Flask", bound: socket.socket, options: ListenOptions, settings: Settings
) -> Server:
    # It logs "Task queue depth" for about every request under load.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    proxy: dict[str, Any] = {}
    if options.trusted_proxy:
        headers = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
        proxy = {"trusted_proxy": options.trusted_proxy, "trusted_proxy_headers": headers}
    server: Server = create_server(
        app,
        sockets=[bound],
        threads=options.threads,
        url_prefix=options.url_prefix,
        max_request_body_size=settings.max_body + 1,  # the limit itself is rejected
        backlog=BACKLOG,
        recv_bytes=RECV_BYTES,
        connection_limit=sys.maxsize,  # `Connections` has its own,
        cleanup_interval=CLEANUP_INTERVAL_SECONDS,
        # waitress would wait for clients that do not read. `Channel` bounds their output instead.
        outbuf_high_watermark=sys.maxsize,
        asyncore_use_poll=True,
        log_socket_errors=False,  # clients that disconnect are nothing unusual
        clear_untrusted_proxy_headers=True,
        ident=None,
        **proxy,
    )
    server.channel_class = Channel
    server.settings = settings
    server.is_draining = False
    return server
