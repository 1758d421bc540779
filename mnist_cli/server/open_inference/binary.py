"""Splits requests of Triton's binary tensor extension into JSON and tensors."""

from mnist_cli.errors import InputError

JSON_LENGTH_HEADER = "Inference-Header-Content-Length"


class BinaryData:
    """The bytes after the JSON, which the inputs read in their order."""

    def __init__(self, data: memoryview | None) -> None:
        """Wrap the bytes; None if the request has no header with the length of its JSON."""
        self._data = data

    @property
    def is_empty(self) -> bool:
        return not self._data

    def read(self, size: object) -> memoryview:
        """Return the next bytes.

        Args:
            size: `binary_data_size` of an input, not yet validated.

        Raises:
            InputError: the size is invalid, or there are fewer bytes.
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
        result, self._data = self._data[:size], self._data[size:]
        return result


def split_body(body: bytes, header: str | None) -> tuple[bytes | None, BinaryData]:
    """Split a body into its JSON and the bytes after it.

    Args:
        body: the body of the request.
        header: the value of JSON_LENGTH_HEADER; None if the whole body is JSON.

    Returns:
        The JSON and the bytes. The JSON is None if its length is 0, a "raw binary request": then
        the body is one tensor.

    Raises:
        InputError: the header is not a number, or is beyond the body.
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
