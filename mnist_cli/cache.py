"""Writes compiled models, atomically, and keeps the user's cache private."""

import contextlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mnist_cli.errors import ModelError
from mnist_cli.file_lock import lock
from mnist_cli.stored_model import CompiledDescription, FailedCompilation, StoredModel, is_private

logger = logging.getLogger(__name__)


def write_to_cache(
    stored: StoredModel, description: CompiledDescription, compiled: bytes | None = None
) -> None:
    """Write an entry, which only this user can read and change.

    Raises:
        ModelError: the cache cannot be written.
    """
    with _private_entry(stored) as folder:
        write_compiled(folder, description, compiled)


def write_failure_to_cache(stored: StoredModel, failure: FailedCompilation) -> None:
    """Write an entry for a model that LiteRT cannot run.

    Raises:
        ModelError: the cache cannot be written.
    """
    with _private_entry(stored) as folder:
        _replace(folder / "failed.json", json.dumps(failure).encode() + b"\n")


@contextlib.contextmanager
def _private_entry(stored: StoredModel) -> Iterator[Path]:
    """Yield the folder of an entry, which only this user can read and change."""
    folder = stored.cache_folder
    try:
        _make_private(folder.parent)
        if folder.is_symlink() or folder.is_file():
            folder.unlink()
        elif folder.exists() and not is_private(folder):
            removed = folder.rename(folder.with_name(f".{folder.name}.{os.getpid()}"))
            shutil.rmtree(removed, ignore_errors=True)  # it may contain files of another user
        folder.mkdir(mode=0o700, exist_ok=True)
        yield folder
    except OSError as error:
        raise ModelError(f"cannot write the compiled model to the cache: {error}") from error


@contextlib.contextmanager
def compile_lock(stored: StoredModel) -> Iterator[bool]:
    """Wait while another process compiles the same model; yields whether there was one.

    If the cache cannot be written, nobody waits.
    """
    with contextlib.ExitStack() as stack:
        has_waited = False
        try:
            folder = stored.cache_folder
            _make_private(folder.parent)
            file = stack.enter_context(open(f"{folder}.lock", "wb", opener=_open_lock))
            try:
                lock(file, wait=False)
            except BlockingIOError:
                lock(file, wait=True)
                has_waited = True
        except (OSError, ModelError) as error:
            logger.info("the cache cannot be used: %s", error)
        yield has_waited


def _open_lock(file: str, _: int) -> int:
    """Open a lock file, without following a link or waiting for the other end of a pipe."""
    return os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)


def _make_private(folder: Path) -> None:
    """Create the cache folder for this user only.

    Raises:
        ModelError: it is a link, or belongs to another user.
        OSError: it cannot be created.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not is_private(folder, allowed=0o777):
        raise ModelError(f"{folder} is a link or belongs to another user")
    folder.chmod(0o700)


def write_compiled(
    folder: Path, description: CompiledDescription, compiled: bytes | None = None
) -> None:
    """Write model.json and, except for a file that LiteRT runs as it is, model.tflite.

    Raises:
        OSError: the folder cannot be written.
    """
    # The description is written last. Until then the old one does not match the new model's
    # checksum, so no reader uses a half-written pair.
    if compiled is not None:
        _replace(folder / "model.tflite", compiled)
    _replace(folder / "model.json", json.dumps(description, indent=1).encode() + b"\n")


def _replace(file: Path, content: bytes) -> None:
    """Write a file atomically: readers see the old content or the new. It may replace a folder."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)  # mkstemp creates files for the owner only
        if file.is_dir() and not file.is_symlink():
            shutil.rmtree(file)
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
