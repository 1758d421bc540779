"""Defines the settings of a server, independent of the command line."""

import hmac
from dataclasses import dataclass
from pathlib import Path

from mnist_cli.option_types import DEFAULT_MODEL, LogFormat


@dataclass(frozen=True)
class Settings:
    """All settings have defaults, so that `create_app()` serves the default model."""

    model: str = DEFAULT_MODEL
    """The default model: a name, or the path of a SavedModel."""
    model_dir: Path | None = None
    """The folder in which models are looked up by name; None for the models of the package."""
    token: str | None = None
    """The token that clients must send as `Authorization: Bearer`; None for no authentication."""
    cors: tuple[str, ...] = ()
    """Origins whose pages may send cross-origin requests; `*` allows every origin."""
    max_body: int = 16 * 2**20
    """The largest request body, in bytes."""
    log_format: LogFormat = "text"
    """The format of the access log."""

    def allowed_origin(self, origin: str | None) -> str | None:
        """Return the value of Access-Control-Allow-Origin for a request from an origin, if any."""
        return origin if origin in self.cors or "*" in self.cors else None

    def is_authorized(self, authorization: str | None) -> bool:
        """Whether a request with this Authorization header, or None, may be answered."""
        sent = (authorization or "").removeprefix("Bearer ")
        return not self.token or hmac.compare_digest(sent.encode(), self.token.encode())
