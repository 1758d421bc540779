"""Reads chunked and compressed request bodies, and compresses responses."""

import gzip
import io
import zlib
from typing import Any, BinaryIO

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wsgi import get_input_stream

from mnist_cli.errors import InputError, UnsupportedMediaError

ENCODINGS = ("gzip", "deflate")
# Larger than the answer for one picture; below it, compression takes longer than it saves.
MIN_COMPRESSED_BYTES = 4096
# Read at once from a body of unknown length.
READ_BYTES = 64 * 2**10
# The fastest: scores hardly shrink more with a higher level.
COMPRESSION_LEVEL = 1


def decode_body(environ: dict[str, Any], max_bytes: int) -> None:
    """Replace the body of a request by its plain content, if it is chunked or compressed.

    Raises:
        UnsupportedMediaError: the Content-Encoding is unknown.
        InputError: the body does not have its Content-Encoding.
        RequestEntityTooLarge: the body or its content is larger than `max_bytes`.
    """
    encoding = environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
    is_plain = encoding in ("", "identity")
    is_chunked = "CONTENT_LENGTH" not in environ and environ.get("wsgi.input_terminated", False)
    if is_plain and not is_chunked:
        return
    if not is_plain and encoding not in ENCODINGS:
        raise UnsupportedMediaError(
            f"Content-Encoding {encoding!r} is not supported: use {' or '.join(ENCODINGS)}"
        )
    if is_chunked:
        content = _read_chunked(environ["wsgi.input"], max_bytes)
    else:
        content = get_input_stream(environ, max_content_length=max_bytes).read()
    if not is_plain:
        try:
            content = _inflate(content, encoding, max_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"the body is not {encoding}: {error}") from error
    if len(content) > max_bytes:
        raise RequestEntityTooLarge
    environ["wsgi.input"] = io.BytesIO(content)
    environ["CONTENT_LENGTH"] = str(len(content))


def _read_chunked(stream: BinaryIO, max_bytes: int) -> bytes:
    """Return a body of unknown length; Werkzeug would cut it off at the limit, without an error.

    Raises:
        RequestEntityTooLarge: it is larger than `max_bytes`.
    """
    parts, size = [], 0
    while part := stream.read(READ_BYTES):
        size += len(part)
        if size > max_bytes:
            _discard(stream, max_bytes)
            raise RequestEntityTooLarge
        parts.append(part)
    return b"".join(parts)


def _discard(stream: BinaryIO, max_bytes: int) -> None:
    """Read on, since many clients read the answer only after they have sent everything."""
    while max_bytes > 0 and (part := stream.read(READ_BYTES)):
        max_bytes -= len(part)


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
    if response.direct_passthrough:  # a file, whose content is not in memory
        return
    if (response.content_length or 0) < MIN_COMPRESSED_BYTES:  # a stream has no length
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
