"""Defines the settings of a server, independent of the command line."""

import hmac
import re
from dataclasses import dataclass
from pathlib import Path

from mnist_cli.option_types import DEFAULT_MODEL, InputConvention, LogFormat

LOCAL_ADDRESSES = ("localhost", "127.0.0.1", "::1")
"""Addresses that only programs on this machine can reach."""
# A host name, or an IPv6 address in brackets, and a port.
HOST_HEADER = re.compile(r"(\[[^\]]*\]|[^:]*)(?::\d*)?")
# Every client can send these characters in a header, in the same encoding.
TOKEN = re.compile("[!-~]+")


def url_host(address: str) -> str:
    """Return an address as in a URL and in the header `Host`: IPv6 in brackets."""
    return f"[{address}]" if ":" in address else address


LOCAL_HOSTS = tuple(map(url_host, LOCAL_ADDRESSES))


@dataclass(frozen=True)
class Settings:
    """All settings have defaults, so that `create_app()` serves the default model."""

    model: str = DEFAULT_MODEL
    """The default model: a name, or a path."""
    model_dir: Path | None = None
    """The folder in which models are looked up by name; None for the models of the package."""
    input: InputConvention | None = None
    """The convention of the default model's images; None for the result of its self-test."""
    token: str | None = None
    """The token that clients must send as `Authorization: Bearer`; None for no authentication.

    The line break at the end of a file or of a secret of Kubernetes is removed.
    """
    cors: tuple[str, ...] = ()
    """Origins whose pages may send cross-origin requests; `*` allows every origin."""
    max_body: int = 16 * 2**20
    """The largest request body, in bytes."""
    log_format: LogFormat = "text"
    """The format of the access log."""
    allowed_hosts: tuple[str, ...] = ()
    """The values of the header `Host`, without port, that are served; empty for every value."""

    def __post_init__(self) -> None:
        """Validate the token.

        Raises:
            ValueError: clients could not send it; the message says what to do.
        """
        if self.token is None:
            return
        object.__setattr__(self, "token", self.token.rstrip("\r\n"))
        if not TOKEN.fullmatch(self.token):
            problem = "has characters other than" if self.token.strip() else "is empty: use"
            raise ValueError(
                f"the token {problem} printable ASCII characters without spaces; "
                "`openssl rand -hex 32` makes one"
            )

    def allowed_origin(self, origin: str | None) -> str | None:
        """Return the value of Access-Control-Allow-Origin for a request from an origin, if any."""
        return origin if origin in self.cors or "*" in self.cors else None

    def is_authorized(self, authorization: str | None) -> bool:
        """Whether a request with this Authorization header, or None, may be answered."""
        if self.token is None:
            return True
        scheme, _, sent = (authorization or "").partition(" ")
        is_equal = hmac.compare_digest(sent.strip(" ").encode(), self.token.encode())
        return is_equal and scheme.lower() == "bearer"

    def is_allowed_host(self, host: str | None) -> bool:
        """Whether a request with this Host header may be answered.

        Browsers always send the header. Without it, as in HTTP/1.0, the request is not from a page.
        """
        if not self.allowed_hosts or host is None:
            return True
        found = HOST_HEADER.fullmatch(host)
        return found is not None and found[1].lower() in self.allowed_hosts
