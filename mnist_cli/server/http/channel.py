"""A connection as waitress has it: answered by a thread or the loop, and closed politely."""

import contextlib
import functools
import json
import socket
import time
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.task import ErrorTask, WSGITask

from mnist_cli.server.environ import ARRIVAL_TIME, PREDICTED_IMAGE
from mnist_cli.server.native import PredictedImage
from mnist_cli.server.settings import Settings

# A sender whose request has failed may go on for this long.
LINGER_TIMEOUT_SECONDS = 10.0


class Request(HTTPRequestParser):  # type: ignore[misc]
    """A request that knows when it was complete, and may have its picture read before its turn."""

    received_at: float | None = None
    predicted: PredictedImage | None = None

    def received(self, data: bytes) -> int:
        consumed = int(super().received(data))
        if self.completed:
            self.received_at = time.perf_counter()
        return consumed

    @functools.cached_property
    def query_params(self) -> dict[str, str]:
        """The query; of values with the same name the first counts, as for Flask."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))


class Task(WSGITask):  # type: ignore[misc]
    """Tells the app what is known of the request."""

    def get_environment(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environment()
        environ[ARRIVAL_TIME] = self.request.received_at
        environ[PREDICTED_IMAGE] = self.request.predicted
        return environ

    def write(self, data: bytes) -> None:
        """Send the answer once it is whole, before all that is left to do for it."""
        super().write(data)
        if self.content_bytes_written == self.content_length:
            self.channel.uncork()


class JsonErrorTask(ErrorTask):  # type: ignore[misc]
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
        origin = settings.allowed_origin(self.request.headers.get("ORIGIN"))
        if origin:
            self.response_headers.append(("Access-Control-Allow-Origin", origin))
        self.channel.request_failed = True
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that the loop can answer, and whose client gets to read an error.

    If a socket is closed with unread data in it, the client sees a reset in the place of the
    answer. So after an error only our side is shut, and what comes in is thrown away until the
    client hangs up; RFC 9112, section 9.6.
    """

    parser_class = Request
    task_class = Task
    error_task_class = JsonErrorTask
    request_failed = False
    linger_deadline: float | None = None
    close_when_flushed: bool
    # Nothing is sent until the answer is complete.
    is_corked = False

    def service_in_loop(self) -> None:
        """Answer the next request in the thread of the loop, head and body in one piece."""
        self.is_corked = True
        try:
            self.service()
        finally:
            self.uncork()

    def uncork(self) -> None:
        """Send what was kept back."""
        if self.is_corked:
            self.is_corked = False
            if self.connected:
                self.handle_write()

    def _flush_some(self, do_close: bool = True) -> bool:
        return not self.is_corked and bool(super()._flush_some(do_close=do_close))

    def handle_write(self) -> None:
        if self.close_when_flushed and self.request_failed and self.linger_deadline is None:
            self._flush_exception(self._flush_some)
            if not self.total_outbufs_len and not self.will_close:
                self.close_when_flushed = False
                self.linger_deadline = time.monotonic() + LINGER_TIMEOUT_SECONDS
                with contextlib.suppress(OSError):  # the client has gone already
                    self.socket.shutdown(socket.SHUT_WR)
                return
        super().handle_write()

    def received(self, data: bytes) -> bool:
        if self.linger_deadline is None:
            return bool(super().received(data))
        if time.monotonic() > self.linger_deadline:
            self.will_close = True
        return False
