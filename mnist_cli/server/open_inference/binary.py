"""The binary tensor data extension of the Open Inference Protocol: tensors after the JSON.

Source: `docs/protocol/extension_binary_data.md` in the repository triton-inference-server/server,
and the messages of its `src/http_server.cc`.
"""

from mnist_cli.errors import InputError

JSON_LENGTH_HEADER = "Inference-Header-Content-Length"


class BinaryData:
    """The bytes after the JSON, taken from the front in the order of the inputs."""

    def __init__(self, data: memoryview | None) -> None:
        """Take the bytes; None if the request has no header that tells where they start."""
        self._data = data

    @property
    def is_empty(self) -> bool:
        return not self._data

    def take(self, size: object) -> memoryview:
        """The next bytes, as many as `binary_data_size` says.

        Raises:
            InputError: it is no size, or there are fewer bytes.
        """
        if self._data is None:
            raise InputError(
                f"must specify valid '{JSON_LENGTH_HEADER}' in request header and "
                "'binary_data_size' when passing inputs in binary data format"
            )
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise InputError("Unable to parse 'binary_data_size'")
        if size > len(self._data):
            raise InputError(
                f"unexpected size, expecting {size - len(self._data)} additional bytes"
            )
        taken, self._data = self._data[:size], self._data[size:]
        return taken


def split_body(body: bytes, header: str | None) -> tuple[bytes | None, BinaryData]:
    """Cut a body into its JSON and what follows.

    The JSON is None if its length is told to be 0: the body is one tensor, a "raw binary request".

    Args:
        body: the body of the request.
        header: the length of the JSON in bytes, as it was sent; None if all is JSON.

    Raises:
        InputError: it is no length, or beyond the body.
    """
    if header is None:
        return body, BinaryData(None)
    if len(header) > 19 or not (header.isascii() and header.removeprefix("-").isdigit()):
        raise InputError(f"Unable to parse {JSON_LENGTH_HEADER}, got: {header}")
    length = int(header)
    if not 0 <= length <= len(body):
        raise InputError(
            f"inference header size should be in range (0, {len(body)}), got: {length}"
        )
    return body[:length] or None, BinaryData(memoryview(body)[length:])
