"""Counts and logs requests that waitress rejects, as the app does those that reach it."""

import time
from http import HTTPStatus

from mnist_cli.option_types import LogFormat
from mnist_cli.server.access_log import path_and_query, write_entry
from mnist_cli.server.http.request import Request
from mnist_cli.server.metrics import count_rejected


def record_rejected(
    request: Request, log_format: LogFormat, client: str, status: int, request_id: str
) -> None:
    """Count and log a request.

    Args:
        request: what is known of it.
        log_format: how the line is written.
        client: the address of the client.
        status: the status of the response.
        request_id: the ID that the response has, too.
    """
    now = time.perf_counter()
    seconds = now - (request.arrival_time or now)
    # If the head is too large, waitress makes up the first line of a request.
    is_known = request.command and status != HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    count_rejected(status, seconds)
    write_entry(
        log_format,
        client=client,
        method=request.command if is_known else "-",
        path=(is_known and path_and_query(request.path, request.query)) or "-",
        status=status,
        seconds=seconds,
        request_id=request_id,
        traceparent=request.headers.get("TRACEPARENT"),
    )
