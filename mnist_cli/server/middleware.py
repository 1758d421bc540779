"""Adds error handling, access log, authentication, CORS and `GET /health` to the app."""

import logging
import time

from flask import Flask, Response, current_app, g, jsonify, request
from flask.globals import request_ctx
from werkzeug.exceptions import HTTPException

from mnist_cli.errors import MnistError
from mnist_cli.records import ErrorRecord
from mnist_cli.server.access_log import log_request
from mnist_cli.server.content_encoding import compress_response, decode_body
from mnist_cli.server.draw import page_for_browsers
from mnist_cli.server.environ import ARRIVAL_TIME
from mnist_cli.server.json_body import json_response
from mnist_cli.server.metrics import count_request
from mnist_cli.server.open_inference import JSON_LENGTH_HEADER
from mnist_cli.server.request_id import ID_HEADER, request_id
from mnist_cli.server.state import get_settings

logger = logging.getLogger(__name__)

# Load balancers and orchestrators have no token, and use the IP address as host.
HEALTH_PATHS = ("/health", "/v2/health/live", "/v2/health/ready")
# Browsers send no token when they open a page: /draw asks for it, /docs explains how to send it.
PUBLIC_BLUEPRINTS = ("draw", "openapi", "pages")
# The fallback of /v1 takes every method, to report it as malformed.
FAILING_ENDPOINTS = ("tfserving.malformed",)

CORS_REQUEST_HEADERS = (
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    JSON_LENGTH_HEADER,
    ID_HEADER,
    "traceparent",
)
CORS_RESPONSE_HEADERS = (JSON_LENGTH_HEADER, ID_HEADER)


def install(app: Flask) -> None:
    """Add error handlers, hooks and `/health` to an app."""
    app.register_error_handler(MnistError, _mnist_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _internal_error)
    app.before_request(_admit)
    app.after_request(_finish)
    app.add_url_rule("/health", view_func=_health)


def _health() -> Response:
    return jsonify(status="ok")


def _mnist_error(error: MnistError) -> Response:
    return _error(error.http_status, str(error))


def _http_error(error: HTTPException) -> Response:
    message = {
        404: f"no such path: {request.path}; {request.script_root}/docs lists all paths",
        405: f"{request.method} is not allowed on {request.path}",
        413: f"the body is larger than {get_settings().max_body} bytes",
    }
    code = error.code or 500
    response = _error(code, message.get(code, error.description or error.name))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _internal_error(error: Exception) -> Response:
    logger.exception("%s %s failed: %r", request.method, request.path, error, exc_info=error)
    return _error(500, f"internal error: see the server log, request {g.request_id}")


def _error(status: int, message: str) -> Response:
    record: ErrorRecord = {"error": message}
    return json_response(record, status)


def _admit() -> Response | None:
    """Return a response to OPTIONS, or an error if the current request may not be answered."""
    current, settings = request_ctx.request, get_settings()
    g.started = current.environ.get(ARRIVAL_TIME) or time.perf_counter()
    g.request_id = request_id(current.headers.get(ID_HEADER))
    host = current.headers.get("Host")
    if not settings.is_allowed_host(host) and current.path not in HEALTH_PATHS:
        tip = "" if settings.token else "use localhost, set MNIST_TOKEN, or "
        return _error(
            403,
            f"the host {host!r} is not allowed: {tip}start the server with --allow-host",
        )
    if current.method == "OPTIONS" and (methods := _allowed_methods()):
        return _answer_options(methods)
    if page := page_for_browsers():  # needs no token, unlike the prediction at the same path
        return page
    if settings.token and not _is_authorized():
        response = _error(
            401, "the token is missing or wrong: send the header Authorization: Bearer TOKEN"
        )
        response.headers["WWW-Authenticate"] = "Bearer"
        return response
    decode_body(current.environ, settings.max_body)
    return None


def _answer_options(methods: list[str]) -> Response:
    """Answer OPTIONS, also as a CORS preflight request; an unknown path is left to its error."""
    response = Response(status=204)
    response.headers["Allow"] = ", ".join([*methods, "OPTIONS"])
    if get_settings().cors and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ", ".join(methods)
        response.headers["Access-Control-Allow-Headers"] = ", ".join(CORS_REQUEST_HEADERS)
        response.headers["Access-Control-Max-Age"] = "86400"
    return response


def _allowed_methods() -> list[str]:
    """Return the methods of the current path, except those that always fail."""
    paths = current_app.create_url_adapter(request)
    assert paths is not None  # there is a request
    methods = []
    for method, allowed in (("GET", ["GET", "HEAD"]), ("POST", ["POST"])):
        try:
            endpoint, _ = paths.match(method=method)
        except HTTPException:
            continue
        if endpoint not in FAILING_ENDPOINTS:
            methods += allowed
    return methods


def is_public(path: str, blueprint: str | None) -> bool:
    """Whether a path needs no token."""
    return path in HEALTH_PATHS or blueprint in PUBLIC_BLUEPRINTS


def _is_authorized() -> bool:
    path = request.url_rule.rule if request.url_rule else request.path
    return is_public(path, request.blueprint) or get_settings().is_authorized(
        request.headers.get("Authorization")
    )


def _finish(response: Response) -> Response:
    settings = get_settings()
    response.headers.add(ID_HEADER, g.request_id)
    response.headers.add("X-Content-Type-Options", "nosniff")
    if settings.cors:
        response.vary.add("Origin")
        if origin := settings.allowed_origin(request.headers.get("Origin")):
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Access-Control-Expose-Headers"] = ", ".join(CORS_RESPONSE_HEADERS)
    compress_response(response)
    seconds = time.perf_counter() - g.started
    count_request(response.status_code, seconds)
    log_request(response, settings.log_format, seconds, g.request_id)
    return response
