"""Writes the annotated pictures of a batch into a folder."""

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from mnist_cli.errors import OutputError
from mnist_cli.output import replacing
from mnist_cli.records import DigitsRecord, PredictionRecord
from mnist_cli.terminal import printable

if TYPE_CHECKING:
    from mnist_cli.picture import Picture


@dataclass(frozen=True)
class Annotations:
    """A folder of annotated pictures, with the same subfolders as the pictures that are read."""

    folder: Path
    sources: tuple[str, ...]
    """The folders and files that are read, or `-`."""

    def create(self, *, is_resumed: bool = False) -> None:
        """Create the folder, which must be empty, so that no file in it can be overwritten.

        Args:
            is_resumed: whether an interrupted batch may already have written pictures into it.

        Raises:
            OutputError: it cannot be created, is not empty, or is inside a source.
        """
        for source in self.sources:
            if source != "-" and _is_inside(self.folder, source):
                raise OutputError(
                    f"{self.folder} is inside {printable(source)}, which is read",
                    "choose another folder",
                )
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not is_resumed and any(self.folder.iterdir()):
                raise OutputError(f"{self.folder} is not empty", "choose another folder")
        except OSError as error:
            raise OutputError(f"cannot write {self.folder}: {error.strerror}") from error

    def path(self, file: str) -> Path:
        """Return where the annotated picture of a file is written; it differs for each file.

        It is the path from the folder that contains all sources. For a list on stdin, and for
        sources on several drives of Windows, it is the whole path.
        """
        folders = [_folder_of(source) for source in self.sources if source != "-"]
        if "-" in self.sources or len({folder.drive for folder in folders}) > 1:
            return self.folder / f"{without_root(Path(os.path.realpath(file)))}.png"
        path = os.path.relpath(os.path.abspath(file), os.path.commonpath(folders))
        return self.folder / f"{path}.png"

    def write(self, file: str, picture: "Picture", record: PredictionRecord | DigitsRecord) -> None:
        """Write the annotated picture of a file.

        Raises:
            OutputError: it cannot be written.
        """
        from mnist_cli.annotate import annotated

        image, target = annotated(picture, record), self.path(file)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as stream:
                image.save(stream, "png")
        except OSError as error:
            raise OutputError(f"cannot write {target}: {error.strerror}") from error


def _is_inside(folder: Path, source: str) -> bool:
    return Path(os.path.realpath(folder)).is_relative_to(os.path.realpath(source))


def _folder_of(source: str) -> Path:
    path = Path(os.path.abspath(source))
    return path if path.is_dir() else path.parent


def without_root(path: PurePath) -> PurePath:
    """Return an absolute path as a relative one, with the drive `C:` of Windows as a folder `C`."""
    return PurePath(*re.findall(r"[^\\:?]+", path.drive), *path.parts[1:])
