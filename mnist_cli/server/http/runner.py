"""Runs the app under waitress: sockets, limits, and an end that drops no request."""

import logging
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.server import create_server

from mnist_cli.errors import BindError
from mnist_cli.server.http.workers import ConnectionCounts

if TYPE_CHECKING:
    from flask import Flask

    from mnist_cli.server.http.channel import Channel
    from mnist_cli.server.http.microbatch import MicroBatcher

# How long requests in flight may take to finish once the server is told to stop.
DRAIN_TIMEOUT_SECONDS = 30.0
# A sender that is silent for this long is hung up on.
IDLE_TIMEOUT_SECONDS = 30
# How long the loop answers before it looks at the sockets again.
POLL_INTERVAL_SECONDS = 0.005
# What is read at a time: 84x85 pixels as JSON are 28 KB.
RECV_BYTES = 64 * 2**10
MAX_CONNECTIONS = 4000
BACKLOG = 1024
ACCEPT_DELAY_SECONDS = 0.005
# A second signal to a worker so soon after the first is the same one.
DUPLICATE_SIGNAL_SECONDS = 1.0


@dataclass(frozen=True)
class ListenOptions:
    """Where and how to listen."""

    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 1
    url_prefix: str = ""
    trusted_proxy: str | None = None


def bind(listen: ListenOptions) -> socket.socket:
    """Bind the address and listen; port 0 picks a free one.

    Raises:
        BindError: it is taken, not allowed, or no address of this machine.
    """
    try:
        [(family, kind, protocol, _, where), *_] = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        bound = socket.socket(family, kind, protocol)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(BACKLOG)  # from here on clients wait instead of being refused
    except OSError as error:
        address = f"{listen.host} port {listen.port}"
        reason = error.strerror or error
        raise BindError(f"cannot listen on {address}: {reason}; see --host and --port") from error
    return bound


def server_url(bound: socket.socket, listen: ListenOptions) -> str:
    """The address that clients use."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{listen.url_prefix}/"


def serve(
    app: "Flask",
    bound: socket.socket,
    listen: ListenOptions,
    warm: Callable[[], None],
    counts: ConnectionCounts | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; finish what is in flight, at once if told a second time.

    Args:
        app: the WSGI app.
        bound: the socket, which listens.
        listen: all else about it.
        warm: is called in a thread, so that health is answered meanwhile; if it fails, so does
            this.
        counts: spreads the connections over the workers that listen on the same socket.
    """
    # Imported here: NumPy is behind them, and a port that is taken is told before.
    from mnist_cli.server.http.channel import Channel
    from mnist_cli.server.http.microbatch import MicroBatcher
    from mnist_cli.server.state import get_settings

    # It reports "Task queue depth" about once a request under load.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    settings = get_settings(app)
    proxy: dict[str, Any] = {}
    if listen.trusted_proxy:
        headers = {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}
        proxy = {"trusted_proxy": listen.trusted_proxy, "trusted_proxy_headers": headers}
    server = create_server(
        app,
        sockets=[bound],
        threads=listen.threads,
        url_prefix=listen.url_prefix,
        # It refuses what is as large as this.
        max_request_body_size=settings.max_body + 1,
        backlog=BACKLOG,
        recv_bytes=RECV_BYTES,
        connection_limit=MAX_CONNECTIONS,
        channel_timeout=IDLE_TIMEOUT_SECONDS,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
        ident=None,
        **proxy,
    )
    batcher = MicroBatcher(app, listen.url_prefix)
    queue = _install_loop_queue(server, batcher, listen.threads)
    server.channel_class = Channel
    server.settings = settings
    if counts:
        _balance_accepts(server, counts)
    stop_requested_at: float | None = None
    failures: list[Exception] = []

    def stop(*_: object) -> None:
        nonlocal stop_requested_at
        if stop_requested_at is None:
            stop_requested_at = time.monotonic()
            server.trigger.pull_trigger()  # wakes the loop
        # A signal to the whole group of processes gets to a worker twice: its parent passes it on.
        elif not counts or time.monotonic() - stop_requested_at > DUPLICATE_SIGNAL_SECONDS:
            raise SystemExit

    def prepare() -> None:
        try:
            warm()
        except Exception as error:
            failures.append(error)
            stop()

    for name in (signal.SIGTERM, signal.SIGINT):
        if signal.getsignal(name) != signal.SIG_IGN:
            signal.signal(name, stop)
    threading.Thread(target=prepare, daemon=True).start()
    try:
        while stop_requested_at is None and not (counts and counts.is_orphaned):
            _poll_once(server, batcher, queue, timeout=1 if counts else 30)
            if counts:
                counts.update(len(server.active_channels))
        _drain(server, batcher, queue)
        server.task_dispatcher.shutdown()
    except SystemExit:
        pass
    wasyncore.close_all(server._map)
    if failures:
        raise failures[0]


def _install_loop_queue(server: Any, batcher: "MicroBatcher", threads: int) -> "deque[Channel]":
    """Let what is quick wait for the loop, not for a thread; return where it waits.

    Health comes first. With several threads, pictures are for them: they are read at the same time.
    """
    queue: deque[Channel] = deque()
    loop = threading.get_ident()

    def add_task(channel: "Channel") -> None:
        request = channel.requests[0]
        if batcher.is_health_check(request):
            queue.appendleft(channel)
        elif threads == 1 and batcher.is_small_image(request):
            queue.append(channel)
        else:
            server.task_dispatcher.add_task(channel)

    def pull_trigger() -> None:
        if threading.get_ident() != loop:  # the loop itself is awake
            server.trigger.pull_trigger()

    server.add_task = add_task
    server.pull_trigger = pull_trigger
    return queue


def _balance_accepts(server: Any, counts: ConnectionCounts) -> None:
    """Let a worker that has more connections than others be slower to accept one.

    Whoever wakes first gets a new connection, and without this one process may get nearly all.
    """
    accept = server.handle_accept

    def handle_accept() -> None:
        if counts.is_above_minimum:
            time.sleep(ACCEPT_DELAY_SECONDS)
        accept()

    server.handle_accept = handle_accept


def _poll_once(
    server: Any, batcher: "MicroBatcher", queue: "deque[Channel]", timeout: float
) -> None:
    """See to the sockets, then answer those who wait, until the sockets are due again."""
    wasyncore.loop(timeout=0 if queue else timeout, map=server._map, use_poll=True, count=1)
    until = time.monotonic() + POLL_INTERVAL_SECONDS
    while queue and time.monotonic() < until:
        for channel in batcher.next_batch(queue):
            try:
                channel.service_in_loop()
            except Exception:
                channel.handle_error()


def _drain(server: Any, batcher: "MicroBatcher", queue: "deque[Channel]") -> None:
    """Stop accepting, and go on until all requests that have begun are answered."""
    server.accepting = False
    server.del_channel()
    server.socket.close()
    deadline = time.monotonic() + DRAIN_TIMEOUT_SECONDS
    while time.monotonic() < deadline and any(
        channel.requests or channel.request or channel.total_outbufs_len
        for channel in list(server.active_channels.values())
    ):
        _poll_once(server, batcher, queue, timeout=0.1)
