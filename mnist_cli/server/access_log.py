"""Writes one line for each request, as text or JSON."""

import json
import logging
from urllib.parse import quote

from flask import Response, request

from mnist_cli.option_types import LogFormat
from mnist_cli.server.request_id import valid_id
from mnist_cli.terminal import one_line, timestamp

access_log = logging.getLogger("mnist_cli.access")

# What a path may contain besides letters, digits and `-._~`; quotes and spaces are encoded.
PATH_CHARACTERS = "/:@!$&'()*+,;="
QUERY_CHARACTERS = PATH_CHARACTERS + "?%"


def path_and_query(path: str, query: str | bytes) -> str:
    """Return the path and the query of a request in printable ASCII, without spaces."""
    quoted, query = quote(path, PATH_CHARACTERS), quote(query, QUERY_CHARACTERS)
    return f"{quoted}?{query}" if query else quoted


def log_request(response: Response, log_format: LogFormat, seconds: float, request_id: str) -> None:
    """Log the current request.

    Args:
        response: the response to it.
        log_format: how the line is written.
        seconds: how long the response took.
        request_id: the ID that the response has, too.
    """
    if access_log.isEnabledFor(logging.INFO):
        write_entry(
            log_format,
            client=request.remote_addr,
            method=request.method,
            path=path_and_query(request.path, request.query_string),
            status=response.status_code,
            seconds=seconds,
            request_id=request_id,
            traceparent=request.headers.get("traceparent"),
        )


def write_entry(
    log_format: LogFormat,
    *,
    client: str | None,
    method: str,
    path: str,
    status: int,
    seconds: float,
    request_id: str,
    traceparent: str | None,
) -> None:
    """Write the line of a request; `path` is the result of `path_and_query`."""
    entry = {
        "time": timestamp(),
        "client": client,
        "method": method,
        "path": path,
        "status": status,
        "ms": round(1000 * seconds, 2),
        "request_id": request_id,
    }
    if traceparent := valid_id(traceparent):
        entry["traceparent"] = traceparent
    if log_format == "json":
        access_log.info(json.dumps(entry))
        return
    line = '{time} {client} "{method} {path}" {status} {ms} ms {request_id}'.format(**entry)
    access_log.info(one_line(f"{line} {traceparent}" if traceparent else line))
