"""Lists and reads files on every file system that pyarrow supports, such as s3:// and hdfs://."""

import errno
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from urllib.parse import quote, unquote, urlsplit

from mnist_cli.errors import InputError, install_hint


class FileSystem(Protocol):
    """The methods of `pyarrow.fs.FileSystem` that are used here."""

    def get_file_info(self, path_or_selector: object) -> Any: ...
    def open_input_file(self, path: str) -> Any: ...
    def open_output_stream(self, path: str) -> BinaryIO: ...
    def create_dir(self, path: str) -> None: ...
    def delete_file(self, path: str) -> None: ...
    def move(self, source: str, target: str) -> None: ...


def is_uri(source: str) -> bool:
    """Whether a source is a URI instead of a local path."""
    # The letter in `C://scans` is a drive of Windows.
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", source) is not None


def to_uri(source: str) -> str:
    """Convert a local path to a URI; URIs are returned unchanged."""
    return source if is_uri(source) else Path(source).absolute().as_uri()


def resolve(uri: str) -> tuple[FileSystem, str]:
    """The file system of a URI, and the path in it.

    Raises:
        InputError: pyarrow does not support the file system, or cannot connect to it.
    """
    parts = urlsplit(uri)
    if parts.password:
        raise InputError(
            f"{parts.scheme}://{parts.hostname}: a password in a URI would appear in every "
            "record: set it in the environment instead"
        )
    file_system, root = _file_system(parts._replace(path="/").geturl())
    return file_system, (root + unquote(parts.path)).rstrip("/") or "/"


# Connecting takes longer than reading a picture.
@functools.lru_cache(maxsize=16)
def _file_system(root: str) -> tuple[FileSystem, str]:
    try:
        import pyarrow.fs

        file_system, path = pyarrow.fs.FileSystem.from_uri(root)
    except ImportError as error:
        raise InputError(f"{root} requires pyarrow ({error})", install_hint("ray")) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{root}: {first_line(error)}") from error
    return file_system, path.rstrip("/")


def file_type(uri: str) -> str:
    """The name of a `pyarrow.fs.FileType`: "File", "Directory" or "NotFound".

    Raises:
        InputError: the file system cannot be reached.
    """
    file_system, path = resolve(uri)
    try:
        name: str = file_system.get_file_info(path).type.name
    except (OSError, ValueError) as error:
        raise InputError(f"{uri}: {first_line(error)}") from error
    return name


def list_files(
    uri: str, is_wanted: Callable[[str], bool], recursive: bool
) -> Iterator[tuple[str, str | None]]:
    """List the file, or the wanted files in the folder, as pairs of URI and error.

    Files are sorted by the bytes of their paths; hidden files and folders are skipped. A folder
    that cannot be listed yields its URI and the error. The entries of one folder are in memory all
    at once: pyarrow cannot list it in parts.
    """
    parts = urlsplit(uri)
    file_system, top = resolve(uri)
    # Paths in the file system can start with more than the path in the URI, such as the bucket.
    prefix_length = len(top) - len(unquote(parts.path).rstrip("/"))
    pending = [(top, file_type(uri) == "Directory")]
    while pending:
        path, is_folder = pending.pop()
        found = parts._replace(path=quote(path[prefix_length:])).geturl()
        if not is_folder:
            yield found, None
            continue
        try:
            entries = _sorted_entries(file_system, path)
        except (OSError, ValueError) as error:
            yield found, f"cannot list the folder: {first_line(error)}"
            continue
        pending += [
            (entry.path, is_folder)
            for entry, is_folder in reversed(entries)
            if not entry.base_name.startswith(".")
            and (recursive if is_folder else is_wanted(entry.base_name))
        ]


def list_folder(file_system: FileSystem, folder: str) -> list[Any]:
    """The entries of a folder, in any order."""
    from pyarrow.fs import FileSelector

    entries: list[Any] = file_system.get_file_info(FileSelector(folder))
    return entries


def _sorted_entries(file_system: FileSystem, folder: str) -> list[tuple[Any, bool]]:
    """The entries of a folder, and whether each is a folder."""
    entries = [
        (entry, entry.type.name == "Directory") for entry in list_folder(file_system, folder)
    ]
    # The slash sorts a folder where the paths of the files in it belong.
    return sorted(entries, key=lambda entry: (entry[0].base_name + "/" * entry[1]).encode())


class RemoteFile:
    """A file behind a URI, opened when it is read, so that all errors are raised there."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes.

        Raises:
            OSError: always with `strerror`, which pyarrow sets only for local files.
        """
        file_system, path = resolve(self._uri)
        try:
            with file_system.open_input_file(path) as file:
                content: bytes = file.read(min(size, file.size()))
                return content
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None):
                raise
            raise OSError(errno.EIO, first_line(error)) from error


def first_line(error: Exception) -> str:
    """The first line of an error message, which can have hundreds."""
    return (str(error).splitlines() or [type(error).__name__])[0]
