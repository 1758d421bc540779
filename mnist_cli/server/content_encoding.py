"""Inflates request bodies, and compresses responses."""

import gzip
import io
import zlib
from typing import Any

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from mnist_cli.errors import InputError, UnsupportedMediaError

ENCODINGS = ("gzip", "deflate")
# Larger than the answer for one picture; below it, compression takes longer than it saves.
MIN_COMPRESSED_BYTES = 4096
# The fastest: scores hardly shrink more with a higher level.
COMPRESSION_LEVEL = 1


def inflate_body(environ: dict[str, Any], max_bytes: int) -> None:
    """Replace the body of a request by its plain content, if it is compressed.

    Raises:
        UnsupportedMediaError: the Content-Encoding is unknown.
        InputError: the body does not have its Content-Encoding.
        RequestEntityTooLarge: the body or its content is larger than `max_bytes`.
    """
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    if encoding in ("", "identity"):
        return
    if encoding not in ENCODINGS:
        raise UnsupportedMediaError(
            f"Content-Encoding {encoding!r} is not supported: use {' or '.join(ENCODINGS)}"
        )
    body = get_input_stream(environ, max_content_length=max_bytes).read()
    try:
        content = _inflate(body, encoding, max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"the body is not {encoding}: {error}") from error
    if len(content) > max_bytes:
        raise RequestEntityTooLarge
    environ["wsgi.input"] = io.BytesIO(content)
    environ["CONTENT_LENGTH"] = str(len(content))


def _inflate(body: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return at most `max_bytes` of the content of a body."""
    if encoding == "gzip":
        return gzip.GzipFile(fileobj=io.BytesIO(body)).read(max_bytes)
    stream = zlib.decompressobj()
    content = stream.decompress(body, max_bytes)
    if len(content) < max_bytes and not stream.eof:
        raise EOFError("it is truncated")
    return content


def compress_response(response: Response) -> None:
    """Compress a large response if the client of the current request accepts that."""
    if response.direct_passthrough or response.is_streamed:
        return
    if (response.content_length or 0) < MIN_COMPRESSED_BYTES:
        return
    response.vary.add("Accept-Encoding")
    encoding = request.accept_encodings.best_match(ENCODINGS)
    if encoding is None:
        return
    content = response.get_data()
    if encoding == "gzip":
        content = gzip.compress(content, COMPRESSION_LEVEL)
    else:
        content = zlib.compress(content, COMPRESSION_LEVEL)
    response.set_data(content)
    response.headers["Content-Encoding"] = encoding
