"""Extends the connections of waitress: bounds, JSON errors, corked output, lingering close."""

# mypy: disable-error-code="safe-super"
# The base classes that mypy sees are protocols, those at run time are not.

import contextlib
import logging
import socket
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from mnist_cli.output import json_lines
from mnist_cli.records import ErrorRecord
from mnist_cli.server.environ import ARRIVAL_TIME, DIGIT, DRAINING
from mnist_cli.server.http.request import Request
from mnist_cli.server.http.waitress_api import WSGIServer
from mnist_cli.server.request_id import ID_HEADER, request_id
from mnist_cli.server.settings import Settings

if TYPE_CHECKING:
    from mnist_cli.server.http.waitress_api import ErrorTask, HTTPChannel, WSGITask
else:
    from waitress.channel import HTTPChannel
    from waitress.task import ErrorTask, WSGITask

# How long a client may go on sending after the last response.
LINGER_TIMEOUT_SECONDS = 10.0

logger = logging.getLogger(__name__)


class Server(WSGIServer, Protocol):
    """A server of waitress with the settings of the app, and whether it is shutting down."""

    settings: Settings
    is_draining: bool
    active_channels: Mapping[int, "Channel"]


class Task(WSGITask):
    """Passes arrival time and prediction of a request to the app."""

    channel: "Channel"
    request: Request

    def get_environment(self) -> dict[str, Any]:
        environ = super().get_environment()
        environ[ARRIVAL_TIME] = self.request.arrival_time
        environ[DIGIT] = self.request.digit
        environ[DRAINING] = self.channel.server.is_draining
        return environ

    def build_response_header(self) -> bytes:
        """Close the connection after the last response to a client while the server drains."""
        if self.channel.server.is_draining and not self.channel.has_input:
            self.request.headers["CONNECTION"] = "close"
            self.channel.lingers = True
        return super().build_response_header()

    def write(self, data: bytes) -> None:
        """Write, and send the response as soon as it is complete."""
        super().write(data)
        if self.content_bytes_written == self.content_length:
            self.channel.uncork()


class JsonErrorTask(ErrorTask):
    """Returns errors that waitress detects, such as a body over the limit, in the app's format."""

    channel: "Channel"
    request: Request

    def execute(self) -> None:
        error = self.request.error
        assert error is not None
        self.status = f"{error.code} {error.reason}"
        settings = self.channel.server.settings
        if error.code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            message = f"the body is larger than {settings.max_body} bytes"
        else:
            message = f"{error.reason}: {error.body}"
        if self.request.is_tls_handshake:
            logger.warning("%s: %s", self.channel.addr[0], error.body)
        record: ErrorRecord = {"error": message}
        body = json_lines([record]).encode()
        self.response_headers.append(("Content-Type", "application/json"))
        self.response_headers.append(("X-Content-Type-Options", "nosniff"))
        # The names of headers are those of WSGI.
        identifier = request_id(self.request.headers.get("X_REQUEST_ID"))
        self.response_headers.append((ID_HEADER, identifier))
        if origin := settings.allowed_origin(self.request.headers.get("ORIGIN")):
            self.response_headers.append(("Access-Control-Allow-Origin", origin))
        self.channel.lingers = True
        self.request.headers["CONNECTION"] = "close"
        self.content_length = len(body)
        self.write(body)
        # Imported here: it takes time, and prometheus_client needs its folder before that.
        from mnist_cli.server.http.rejected import record_rejected

        client = self.channel.addr[0]
        record_rejected(self.request, settings.log_format, client, error.code, identifier)


class Channel(HTTPChannel):
    """A connection that the event loop can serve, and that does not lose its last response.

    It has one request and one response at a time: the next request is parsed, and more input is
    read, when the client has taken the response. So a client that sends many requests without
    reading costs no more memory than its largest response and RECV_BYTES of input, and waits for
    nobody but itself.

    A socket that is closed with unread input sends a reset, and the client may lose the response.
    So after an error, and while the server drains, only the sending side is shut down, and input is
    discarded until the client closes the connection; RFC 9112, section 9.6.
    """

    parser_class: Callable[..., Request] = Request
    task_class = Task
    error_task_class = JsonErrorTask
    server: Server
    requests: list[Request]
    request: Request | None
    close_when_flushed: bool
    sent_continue: bool
    # Input after the request that is being answered.
    unparsed = b""
    has_sent_request = False
    # Whether the connection is closed only after the client has read the last response.
    lingers = False
    linger_deadline: float | None = None
    # While corked, output is buffered, so that head and body leave in one packet.
    is_corked = False

    @property
    def is_busy(self) -> bool:
        """Whether a request or a response is on its way."""
        return bool(self.requests or self.request or self.unparsed or self.total_outbufs_len)

    @property
    def has_input(self) -> bool:
        """Whether the client has sent more than the request that is being answered."""
        try:
            return bool(self.unparsed or self.socket.recv(1, socket.MSG_PEEK))
        except OSError:  # nothing has arrived, or the client has disconnected
            return False

    def service_in_loop(self) -> None:
        """Answer the next request in the event loop."""
        self.is_corked = True
        try:
            self.service()
        finally:
            self.uncork()

    def uncork(self) -> None:
        """Send the buffered output."""
        if self.is_corked:
            self.is_corked = False
            if self.connected:
                self.handle_write()

    def _flush_some(self, do_close: bool = True) -> bool:
        return not self.is_corked and super()._flush_some(do_close=do_close)

    def readable(self) -> bool:
        return not self.unparsed and super().readable()

    def writable(self) -> bool:
        return bool(super().writable() or (self.unparsed and not self.requests))

    def handle_write(self) -> None:
        if self.close_when_flushed and self.lingers and self.linger_deadline is None:
            self._flush_exception(self._flush_some)
            if not self.connected:
                return
            if not self.total_outbufs_len and not self.will_close:
                self.close_when_flushed = False
                self.unparsed = b""
                self.linger_deadline = time.monotonic() + LINGER_TIMEOUT_SECONDS
                with contextlib.suppress(OSError):  # the client has already disconnected
                    self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_write()
        if self.unparsed and not self.requests and not self.total_outbufs_len:
            self._parse()

    def received(self, data: bytes) -> bool:
        if self.linger_deadline is None:
            self.unparsed += data
            self._parse()
            return True
        if time.monotonic() > self.linger_deadline:
            self.will_close = True
        return False

    def _parse(self) -> None:
        """Parse the input up to the end of one request, and have it answered."""
        with self.requests_lock:
            while self.unparsed and self.connected and not self.close_when_flushed:
                request = self.request = self.request or self.parser_class(self.adj)
                consumed = request.received(self.unparsed)
                self.unparsed = self.unparsed[consumed:]
                if request.expect_continue and request.headers_finished and not self.sent_continue:
                    self.send_continue()
                if request.completed:
                    self.request = None
                    self.sent_continue = False
                    if not request.empty:
                        self.has_sent_request = True
                        self.requests.append(request)
                        self.server.add_task(self)
                    return
