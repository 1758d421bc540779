"""Extends the request parser of waitress."""

# mypy: disable-error-code="safe-super"
# The base class that mypy sees is a protocol, that at run time is not.

import functools
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from mnist_cli.recognition import Digit
    from mnist_cli.server.http.waitress_api import HTTPRequestParser
else:
    from waitress.parser import HTTPRequestParser


class Request(HTTPRequestParser):
    """A request with its arrival time and, if it was part of a batch, its prediction."""

    arrival_time: float | None = None
    digit: "Digit | None" = None

    def received(self, data: bytes) -> int:
        consumed = super().received(data)
        if self.completed:
            self.arrival_time = time.perf_counter()
            # Nothing more is expected. waitress would send "100 Continue" and wait for a body.
            self.expect_continue = False
        return consumed

    @functools.cached_property
    def query_params(self) -> dict[str, str]:
        """The parameters of the query; the first of those with the same name, as in Flask."""
        return dict(reversed(parse_qsl(self.query, keep_blank_values=True)))
