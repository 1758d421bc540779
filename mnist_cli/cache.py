"""Writes compiled models, atomically, and keeps the user's cache private."""

import json
import os
import stat
import tempfile
from pathlib import Path

from mnist_cli.errors import ModelError
from mnist_cli.stored_model import CompiledDescription, StoredModel


def write_to_cache(
    stored: StoredModel, description: CompiledDescription, compiled: bytes | None = None
) -> None:
    """Write an entry, which only this user can read and change.

    Raises:
        ModelError: the cache cannot be written.
    """
    folder = stored.cache_folder
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not is_own(folder.parent):
            raise ModelError(f"{folder.parent} is a link or belongs to another user")
        folder.parent.chmod(0o700)
        if folder.is_symlink():
            folder.unlink()
        folder.mkdir(mode=0o700, exist_ok=True)
        write_compiled(folder, description, compiled)
    except OSError as error:
        raise ModelError(f"cannot write the compiled model to the cache: {error}") from error


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


def is_own(path: Path) -> bool:
    """Whether a file or folder belongs to this user, and is not a symbolic link."""
    try:
        status = path.lstat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and not stat.S_ISLNK(status.st_mode)


def _replace(file: Path, content: bytes) -> None:
    """Write a file atomically: readers see either the old content or the new."""
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with open(descriptor, "wb") as stream:
            stream.write(content)
        Path(temporary).chmod(0o644)  # mkstemp creates files for the owner only
        Path(temporary).replace(file)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
