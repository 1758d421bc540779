"""What keeps a server in order: errors as JSON, access log, tokens, CORS, health."""

import json
import logging
import secrets
import time

from flask import Flask, Response, abort, current_app, g, jsonify, request
from werkzeug.exceptions import HTTPException

from mnist_cli import output
from mnist_cli.errors import MnistError
from mnist_cli.server.metrics import count_request
from mnist_cli.server.native import ARRIVAL_TIME
from mnist_cli.server.settings import Settings, allowed_origin, knows_token

access_log = logging.getLogger("mnist_cli.access")
logger = logging.getLogger(__name__)

# Whoever runs a server asks these without a token, to see whether it is up.
HEALTH_PATHS = ("/health", "/v2/health/live", "/v2/health/ready")
# A browser sends no token when it opens a page: /draw asks for it itself, /docs tells of it.
PUBLIC_BLUEPRINTS = ("draw", "openapi")


def install(app: Flask, settings: Settings) -> None:
    """Put all of it around the routes of an app."""
    app.register_error_handler(MnistError, _mnist_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected_error)
    app.before_request(_start)
    if settings.cors:
        app.before_request(_preflight)
    if settings.token:
        app.before_request(_require_token)
    app.after_request(_finish)
    app.add_url_rule("/health", view_func=_health)


def _health() -> Response:
    return jsonify(status="ok")


def _mnist_error(error: MnistError) -> Response:
    return _error(error.http_status, str(error))


def _http_error(error: HTTPException) -> Response:
    message = {
        404: f"no such path: {request.path}",
        405: f"{request.method} is not allowed on {request.path}",
        413: f"the body is larger than {current_app.config['MAX_CONTENT_LENGTH']} bytes",
    }
    code = error.code or 500
    response = _error(code, message.get(code, error.description or error.name))
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _unexpected_error(error: Exception) -> Response:
    logger.exception("%s %s", request.method, request.path, exc_info=error)
    return _error(500, f"a fault of mnist, told in its log as request {g.request_id}")


def _error(status: int, message: str) -> Response:
    body = output.to_json({"error": message})
    return Response(body, status, mimetype="application/json")


def _start() -> None:
    g.started = request.environ.get(ARRIVAL_TIME) or time.perf_counter()
    g.request_id = request.headers.get("X-Request-ID", "")[:100] or secrets.token_hex(16)


def _preflight() -> Response | None:
    """Answer a browser that asks whether a page of another origin may call."""
    if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
        return None
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, X-Request-ID"
    response.headers["Access-Control-Max-Age"] = "86400"
    return response


def is_public(path: str, blueprint: str | None) -> bool:
    """Whether a path is answered without a token."""
    return path in HEALTH_PATHS or blueprint in PUBLIC_BLUEPRINTS


def _require_token() -> None:
    if is_public(request.path, request.blueprint):
        return
    settings: Settings = current_app.extensions["settings"]
    if not knows_token(settings, request.headers.get("Authorization")):
        response = _error(401, "a token is needed: send it as Authorization: Bearer TOKEN")
        response.headers["WWW-Authenticate"] = "Bearer"
        abort(response)


def _finish(response: Response) -> Response:
    settings: Settings = current_app.extensions["settings"]
    response.headers["X-Request-ID"] = g.request_id
    if settings.cors:
        response.vary.add("Origin")
        if origin := allowed_origin(settings, request.headers.get("Origin")):
            response.headers["Access-Control-Allow-Origin"] = origin
    seconds = time.perf_counter() - g.started
    count_request(response.status_code, seconds)
    _log(response, settings, seconds)
    return response


def _log(response: Response, settings: Settings, seconds: float) -> None:
    if not access_log.isEnabledFor(logging.INFO):
        return
    entry = {
        "client": request.remote_addr,
        "method": request.method,
        "path": request.full_path.rstrip("?"),
        "status": response.status_code,
        "ms": round(1000 * seconds, 2),
        "request_id": g.request_id,
    }
    if settings.log_format == "json":
        access_log.info(json.dumps(entry))
    else:
        line = '{client} "{method} {path}" {status} {ms} ms {request_id}'
        access_log.info(line.format(**entry))
