"""The ID of a request, which its response and its lines in the log have."""

import re
import secrets

ID_HEADER = "X-Request-ID"
# Printable ASCII without spaces. A traceparent has 55 characters.
VALID_ID = re.compile("[!-~]{1,100}")


def valid_id(sent: str | None) -> str | None:
    """Return an ID that a client sent; None if it is missing or invalid."""
    return sent if sent and VALID_ID.fullmatch(sent) else None


def request_id(sent: str | None) -> str:
    """Return the ID that a client sent, or a new one if it is missing or invalid."""
    return valid_id(sent) or secrets.token_hex(16)
