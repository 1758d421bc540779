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


def path_and_query() -> str:
    """Return the path and the query of the current request in printable ASCII, without spaces."""
    path = quote(request.path, PATH_CHARACTERS)
    query = quote(request.query_string, QUERY_CHARACTERS)
    return f"{path}?{query}" if query else path


def log_request(response: Response, log_format: LogFormat, seconds: float, request_id: str) -> None:
    """Log the current request.

    Args:
        response: the response to it.
        log_format: how the line is written.
        seconds: how long the response took.
        request_id: the ID that the response has, too.
    """
    if not access_log.isEnabledFor(logging.INFO):
        return
    entry = {
        "time": timestamp(),
        "client": request.remote_addr,
        "method": request.method,
        "path": path_and_query(),
        "status": response.status_code,
        "ms": round(1000 * seconds, 2),
        "request_id": request_id,
    }
    traceparent = valid_id(request.headers.get("traceparent"))
    if traceparent:
        entry["traceparent"] = traceparent
    if log_format == "json":
        access_log.info(json.dumps(entry))
        return
    line = '{time} {client} "{method} {path}" {status} {ms} ms {request_id}'.format(**entry)
    access_log.info(one_line(f"{line} {traceparent}" if traceparent else line))
