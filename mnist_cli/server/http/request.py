"""Extends the request parser of waitress."""

# mypy: disable-error-code="safe-super"
# The base class that mypy sees is a protocol, that at run time is not.

import functools
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from waitress.parser import ParsingError
from waitress.utilities import BadRequest

if TYPE_CHECKING:
    from mnist_cli.prediction import Digit
    from mnist_cli.server.http.waitress_api import HTTPRequestParser
else:
    from waitress.parser import HTTPRequestParser

# The first byte of a TLS connection, the content type "handshake"; RFC 8446, section 5.1.
TLS_HANDSHAKE = b"\x16"


class Request(HTTPRequestParser):
    """A request with its arrival time and, if it was part of a batch, its prediction."""

    arrival_time: float | None = None
    digit: "Digit | None" = None
    is_tls_handshake = False
    # waitress sets these in valid requests only.
    command = path = query = ""

    def received(self, data: bytes) -> int:
        if data.startswith(TLS_HANDSHAKE) and not self.header_plus and not self.headers_finished:
            self.is_tls_handshake = True
            self.error = BadRequest(
                "a TLS handshake on an HTTP port; use http:// instead of https://"
            )
            self.completed = True
            return len(data)
        consumed = super().received(data)
        if self.completed:
            self.arrival_time = time.perf_counter()
            # Nothing more is expected. waitress would send "100 Continue" and wait for a body.
            self.expect_continue = False
        return consumed

    def parse_header(self, header_plus: bytes) -> None:
        try:
            super().parse_header(header_plus)
        except ValueError as error:
            # From urlsplit(), or from int() if Content-Length has more than 4,300 digits.
            raise ParsingError("The URL or Content-Length is invalid") from error
        # Another server may find a different end of the request, and take what follows for a
        # request of somebody else; RFC 9112, section 6.1. waitress removes the header from
        # requests of HTTP/1.1, and ignores it in others.
        if "TRANSFER_ENCODING" in self.headers:
            raise ParsingError("Transfer-Encoding requires HTTP/1.1")
        if self.chunked and "CONTENT_LENGTH" in self.headers:
            raise ParsingError("Content-Length and Transfer-Encoding exclude each other")

    @functools.cached_property
    def query_params(self) -> dict[str, str]:
        """The parameters of the query; the first of those with the same name, as in Flask."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))
