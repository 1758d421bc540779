"""Files behind URIs, on all file systems that pyarrow opens: s3://, gs://, hdfs://, file://."""

import errno
import functools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from mnist_cli.errors import InputError


def is_uri(source: str) -> bool:
    """Whether it is a URI, and not the path of a local file."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source) is not None


def to_uri(source: str) -> str:
    """A URI as it is, and of the path of a local file that of it."""
    return source if is_uri(source) else Path(source).absolute().as_uri()


def resolve(uri: str) -> tuple[Any, str]:
    """The file system of a URI, and the path there.

    Raises:
        InputError: pyarrow does not know such file systems, or cannot reach this one.
    """
    parts = urlsplit(uri)
    if parts.password:
        raise InputError(
            f"{parts.scheme}://{parts.hostname}: a password in a URI would be in all records; give "
            "it in the environment"
        )
    file_system, root = _file_system(parts._replace(path="/").geturl())
    return file_system, (root + unquote(parts.path)).rstrip("/") or "/"


# To connect takes longer than to read a picture.
@functools.lru_cache(maxsize=16)
def _file_system(root: str) -> tuple[Any, str]:
    try:
        from pyarrow.fs import FileSystem

        file_system, path = FileSystem.from_uri(root)
    except ImportError as error:
        raise InputError(f"{root} needs pyarrow ({error}): pip install 'mnist-cli[ray]'") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{root}: {first_line(error)}") from error
    return file_system, path.rstrip("/")


def check_exists(uri: str) -> None:
    """See that a folder or file is there.

    Raises:
        InputError: it is not, or cannot be reached.
    """
    if _file_type(uri) == "NotFound":
        raise InputError(f"{uri}: no such file or folder")


def list_files(
    uri: str, is_wanted: Callable[[str], bool], recursive: bool
) -> Iterator[tuple[str, str | None]]:
    """List the file, or all wanted ones in the folder: its URI, or that of a folder with an error.

    They come in the order of the bytes of their paths, without hidden ones. Of the folder that has
    most entries all are in memory: pyarrow does not list one in parts.
    """
    parts = urlsplit(uri)
    file_system, top = resolve(uri)
    # The part before the URI's path in that file system, such as the bucket.
    prefix_length = len(top) - len(unquote(parts.path).rstrip("/"))
    pending = [(top, _file_type(uri) == "Directory")]
    while pending:
        path, is_folder = pending.pop()
        found = parts._replace(path=quote(path[prefix_length:])).geturl()
        if not is_folder:
            yield found, None
            continue
        try:
            entries = _entries(file_system, path)
        except (OSError, ValueError) as error:
            yield found, f"cannot be listed: {first_line(error)}"
            continue
        pending += [
            (entry.path, is_folder)
            for entry, is_folder in reversed(entries)
            if not entry.base_name.startswith(".")
            and (recursive if is_folder else is_wanted(entry.base_name))
        ]


def _entries(file_system: Any, folder: str) -> list[tuple[Any, bool]]:
    from pyarrow.fs import FileSelector

    entries = [
        (entry, entry.type.name == "Directory")
        for entry in file_system.get_file_info(FileSelector(folder))
    ]
    # With its slash, a folder comes where the files in it do.
    return sorted(entries, key=lambda found: (found[0].base_name + "/" * found[1]).encode())


class RemoteFile:
    """What is in a file; it is opened when it is read, so that all errors come from there."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def read(self, size: int) -> bytes:
        """Read at most so many bytes.

        Raises:
            OSError: with the reason in `strerror`, which pyarrow leaves out if it is no local one.
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


def _file_type(uri: str) -> str:
    file_system, path = resolve(uri)
    try:
        name: str = file_system.get_file_info(path).type.name
    except (OSError, ValueError) as error:
        raise InputError(f"{uri}: {first_line(error)}") from error
    return name


def first_line(error: Exception) -> str:
    """Its first line: of libraries and servers there can be hundreds."""
    return (str(error).splitlines() or [type(error).__name__])[0]
