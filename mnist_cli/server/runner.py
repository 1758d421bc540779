"""Runs the app under waitress: sockets, limits, and an end that drops no request."""

import contextlib
import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import ErrorTask, ThreadedTaskDispatcher

from mnist_cli.errors import BindError
from mnist_cli.server.settings import Settings, allowed_origin
from mnist_cli.server.workers import Shares

if TYPE_CHECKING:
    from flask import Flask

# How long requests in flight may take to finish once the server is told to stop.
DRAIN_SECONDS = 30.0
# A sender that is silent for this long is hung up on.
SILENCE_SECONDS = 30
# A sender whose request has failed may go on for this long.
LINGER_SECONDS = 10.0
MAX_CONNECTIONS = 4000
BACKLOG = 1024
POLITE_SECONDS = 0.005
# A second signal to a worker so soon after the first is the same one.
ECHO_SECONDS = 1.0


@dataclass(frozen=True)
class Listen:
    """Where and how to listen."""

    host: str = "127.0.0.1"
    port: int = 8000
    threads: int = 1
    url_prefix: str = ""
    trusted_proxy: str | None = None


def bind(listen: Listen) -> socket.socket:
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


def url(bound: socket.socket, listen: Listen) -> str:
    """The address that clients use."""
    host, port = bound.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{listen.url_prefix}/"


def serve(
    app: "Flask",
    bound: socket.socket,
    listen: Listen,
    warm: Callable[[], None],
    shares: Shares | None = None,
) -> None:
    """Serve until SIGTERM or Ctrl-C; finish what is in flight, at once if told a second time.

    Args:
        app: the WSGI app.
        bound: the socket, which listens.
        listen: all else about it.
        warm: is called in a thread, so that health is answered meanwhile; if it fails, so does
            this.
        shares: spreads the connections over the workers that listen on the same socket.
    """
    # It reports "Task queue depth" about once a request under load.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    settings: Settings = app.extensions["settings"]
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
        connection_limit=MAX_CONNECTIONS,
        channel_timeout=SILENCE_SECONDS,
        asyncore_use_poll=True,
        clear_untrusted_proxy_headers=True,
        ident=None,
        **proxy,
    )
    health = _answer_health_apart(server, listen.url_prefix)
    server.channel_class = _Channel
    server.settings = settings
    if shares:
        _spread(server, shares)
    told_to_stop: float | None = None
    failures: list[Exception] = []

    def stop(*_: object) -> None:
        nonlocal told_to_stop
        if told_to_stop is None:
            told_to_stop = time.monotonic()
            server.pull_trigger()  # wakes the loop
        # A signal to the whole group of processes gets to a worker twice: its parent passes it on.
        elif not shares or time.monotonic() - told_to_stop > ECHO_SECONDS:
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
        while told_to_stop is None and not (shares and shares.is_orphan):
            _loop(server, timeout=1 if shares else 30)
            if shares:
                shares.update(len(server.active_channels))
        _drain(server)
        server.task_dispatcher.shutdown()
        health.shutdown()
    except SystemExit:
        pass
    wasyncore.close_all(server._map)
    if failures:
        raise failures[0]


def _answer_health_apart(server: Any, url_prefix: str) -> ThreadedTaskDispatcher:
    """Give a thread of its own to those who ask how the server is, while others read pictures."""
    from mnist_cli.server.ops import HEALTH_PATHS  # imports Flask, which the app needs anyway

    paths = {url_prefix + path for path in HEALTH_PATHS}
    dispatcher = ThreadedTaskDispatcher()
    dispatcher.set_thread_count(1)

    def add_task(channel: HTTPChannel) -> None:
        request = channel.requests[0]
        is_health = not request.error and request.path in paths  # what is no HTTP has no path
        (dispatcher if is_health else server.task_dispatcher).add_task(channel)

    server.add_task = add_task
    return dispatcher


def _spread(server: Any, shares: Shares) -> None:
    """Let a worker that has more connections than others be slower to accept one.

    Whoever wakes first gets a new connection, and without this one process may get nearly all.
    """
    accept = server.handle_accept

    def handle_accept() -> None:
        if shares.has_more_than_others:
            time.sleep(POLITE_SECONDS)
        accept()

    server.handle_accept = handle_accept


def _loop(server: Any, timeout: float) -> None:
    wasyncore.loop(timeout=timeout, map=server._map, use_poll=True, count=1)


def _drain(server: Any) -> None:
    """Stop accepting, and go on until all requests that have begun are answered."""
    server.accepting = False
    server.del_channel()
    server.socket.close()
    deadline = time.monotonic() + DRAIN_SECONDS
    while time.monotonic() < deadline and any(
        channel.requests or channel.request or channel.total_outbufs_len
        for channel in list(server.active_channels.values())
    ):
        _loop(server, timeout=0.1)


class _JsonErrorTask(ErrorTask):  # type: ignore[misc]
    """Answers what never gets to the app, such as a body over the limit, as the app would."""

    def execute(self) -> None:
        error = self.request.error
        self.status = f"{error.code} {error.reason}"
        settings: Settings = self.channel.server.settings
        if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            reason = f"the body is larger than {settings.max_body} bytes"
        else:
            reason = f"{error.reason}: {error.body}"
        body = json.dumps({"error": reason}).encode()
        self.response_headers.append(("Content-Type", "application/json"))
        origin = allowed_origin(settings, self.request.headers.get("ORIGIN"))
        if origin:
            self.response_headers.append(("Access-Control-Allow-Origin", origin))
        self.channel.request_failed = True
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class _Channel(HTTPChannel):  # type: ignore[misc]
    """A connection whose client gets to read an error, even while it still sends the body.

    If a socket is closed with unread data in it, the client sees a reset in the place of the
    answer. So after an error only our side is shut, and what comes in is thrown away until the
    client hangs up; RFC 9112, section 9.6.
    """

    error_task_class = _JsonErrorTask
    request_failed = False
    lingers_until: float | None = None
    close_when_flushed: bool

    def handle_write(self) -> None:
        if self.close_when_flushed and self.request_failed and self.lingers_until is None:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self.close_when_flushed = False
                self.lingers_until = time.monotonic() + LINGER_SECONDS
                with contextlib.suppress(OSError):  # the client has gone already
                    self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_write()

    def received(self, data: bytes) -> bool:
        if self.lingers_until is None:
            return bool(super().received(data))
        if time.monotonic() > self.lingers_until:
            self.will_close = True
        return False
