"""Declares the attributes of waitress that this package uses, as protocols.

waitress has neither type hints nor a promise about most of these. mypy checks our code against the
protocols, and `tests/test_waitress_api.py` checks the protocols against the installed waitress.
"""

import contextlib
import socket
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol


class Error(Protocol):
    """`waitress.utilities.Error`: a request that waitress rejects."""

    code: int
    reason: str
    body: str


class HTTPRequestParser(Protocol):
    """`waitress.parser.HTTPRequestParser`; an invalid request has only `error` and `headers`."""

    completed: bool
    empty: bool
    expect_continue: bool
    headers_finished: bool
    error: Error | None
    header_plus: bytes
    headers: dict[str, str]
    chunked: bool
    command: str
    path: str
    query: str
    body_bytes_received: int

    def received(self, data: bytes) -> int: ...

    def parse_header(self, header_plus: bytes) -> None: ...

    def get_body_stream(self) -> BinaryIO: ...


class Task(Protocol):
    """`waitress.task.Task`: writes one response."""

    channel: "HTTPChannel"
    request: HTTPRequestParser
    status: str
    response_headers: list[tuple[str, str]]
    content_length: int | None
    content_bytes_written: int

    def build_response_header(self) -> bytes: ...

    def write(self, data: bytes) -> None: ...


class WSGITask(Task, Protocol):
    """`waitress.task.WSGITask`: the response of the app."""

    def get_environment(self) -> dict[str, Any]: ...


class ErrorTask(Task, Protocol):
    """`waitress.task.ErrorTask`: the response of waitress itself."""

    def execute(self) -> None: ...


class HTTPChannel(Protocol):
    """`waitress.channel.HTTPChannel`: a connection."""

    parser_class: Callable[..., HTTPRequestParser]
    task_class: type[WSGITask]
    error_task_class: type[ErrorTask]
    server: "WSGIServer"
    adj: Any
    addr: Any
    socket: socket.socket
    connected: bool
    will_close: bool
    close_when_flushed: bool
    sent_continue: bool
    last_activity: float
    total_outbufs_len: int
    requests: Sequence[HTTPRequestParser]
    requests_lock: contextlib.AbstractContextManager[Any]
    request: HTTPRequestParser | None

    def readable(self) -> bool: ...

    def writable(self) -> bool: ...

    def service(self) -> None: ...

    def received(self, data: bytes) -> bool: ...

    def handle_write(self) -> None: ...

    def handle_close(self) -> None: ...

    def send_continue(self) -> None: ...

    def handle_error(self) -> None: ...

    def _flush_some(self, do_close: bool = True) -> bool: ...

    def _flush_exception(self, flush: Callable[..., bool], do_close: bool = True) -> Any: ...


class TaskDispatcher(Protocol):
    """`waitress.task.ThreadedTaskDispatcher`: the worker threads."""

    def add_task(self, task: Any) -> None: ...

    def shutdown(self, cancel_pending: bool = True, timeout: int = 5) -> bool: ...


class Trigger(Protocol):
    """`waitress.trigger.trigger`: wakes the event loop."""

    def pull_trigger(self, thunk: Callable[[], None] | None = None) -> None: ...


class WSGIServer(Protocol):
    """`waitress.server.TcpWSGIServer`; replaced methods are attributes here."""

    socket: socket.socket
    accepting: bool
    adj: Any
    active_channels: Mapping[int, HTTPChannel]
    channel_class: Callable[..., HTTPChannel]
    task_dispatcher: TaskDispatcher
    trigger: Trigger
    _map: dict[int, Any]
    add_task: Callable[[Any], None]
    pull_trigger: Callable[[], None]
    handle_accept: Callable[[], None]
    maintenance: Callable[[float], None]

    def del_channel(self, map: dict[int, Any] | None = None) -> None: ...

    def set_socket_options(self, conn: Any) -> None: ...
