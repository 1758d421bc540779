"""Decodes the base64 of clients: with the usual or the URL-safe alphabet, and `data:` URLs."""

import base64

from mnist_cli.errors import InputError

# RFC 4648: from the alphabet of section 5 to that of section 4.
FROM_URL_SAFE = str.maketrans("-_", "+/")


def decode_base64(text: str) -> bytes:
    """Decode base64, with or without padding and line breaks.

    Raises:
        InputError: the text is not base64, or a `data:` URL of another encoding.
    """
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise InputError("Unable to base64 decode: the data: URL has no `;base64`")
    text = "".join(text.split()).rstrip("=").translate(FROM_URL_SAFE)
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError as error:
        raise InputError("Unable to base64 decode") from error
