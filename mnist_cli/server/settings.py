"""What a server can be told, apart from how it is told."""

import hmac
from dataclasses import dataclass
from pathlib import Path

from mnist_cli.option_types import DEFAULT_MODEL, LogFormat


@dataclass(frozen=True)
class Settings:
    """All of it has defaults, so that `create_app()` serves the default model."""

    model: str = DEFAULT_MODEL
    """The model that answers where a request names none: a name, or the path of a SavedModel."""
    model_dir: Path | None = None
    """Where the other models are looked up by name."""
    token: str | None = None
    """What clients must send as `Authorization: Bearer`, if anything."""
    cors: tuple[str, ...] = ()
    """Origins of pages in a browser that may call; `*` is any."""
    max_body: int = 16 * 2**20
    """The largest body of a request, in bytes."""
    log_format: LogFormat = "text"
    """The form of a line in the access log."""


def allowed_origin(settings: Settings, origin: str | None) -> str | None:
    """The origin of a page in a browser, if it may read the answers."""
    return origin if origin in settings.cors or "*" in settings.cors else None


def knows_token(settings: Settings, authorization: str | None) -> bool:
    """Whether a client that sent this header, or none, may ask."""
    sent = (authorization or "").removeprefix("Bearer ")
    return not settings.token or hmac.compare_digest(sent.encode(), settings.token.encode())
