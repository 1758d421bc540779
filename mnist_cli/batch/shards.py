"""Writes records into a folder of shards, from many nodes at once."""

import contextlib
import io
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mnist_cli.batch import uris
from mnist_cli.batch.encoding import select_records
from mnist_cli.batch.writers import write_records
from mnist_cli.errors import InputError, OutputError
from mnist_cli.option_types import BatchFormat

# Files for each shard; with `below` it has fewer records.
SHARD_FILES = 10_000
# Marks a complete folder, as in Hadoop and Spark.
SUCCESS_FILE = "_SUCCESS"


def is_shard_folder(output: str) -> bool:
    """Whether `output` is a folder instead of a file: a URI, or a path that ends with a slash."""
    return output.endswith(("/", os.sep)) or uris.is_uri(output)


@dataclass(frozen=True)
class Shards:
    """A folder with `part-00000.jsonl`, or `.parquet`, and so on, in the order of the files."""

    uri: str
    format: BatchFormat
    scores: bool
    below: float | None
    multi: bool = False

    def create(self, sources: Iterable[str]) -> None:
        """Create the folder.

        Raises:
            OutputError: it cannot be created, is not empty, or is inside a source.
        """
        with self._output_errors():
            file_system, folder = uris.resolve(self.uri)
            for source in sources:
                if source == "-":
                    continue
                source_system, path = uris.resolve(uris.to_uri(source))
                if source_system == file_system and f"{folder}/".startswith(path.rstrip("/") + "/"):
                    raise OutputError(
                        f"{self.uri} is inside {source}, which is read", "choose another folder"
                    )
            file_system.create_dir(folder)
            if uris.list_folder(file_system, folder):
                raise OutputError(f"{self.uri} is not empty", "choose another folder")

    def write(self, index: int, lines: Iterable[str]) -> None:
        """Write one shard; writing it again, after the death of a node, gives the same file.

        Raises:
            OutputError: it cannot be written.
        """
        data = io.BytesIO()
        records = select_records(lines, self.below)
        write_records(data, records, self.format, self.scores, self.multi)
        self._write_file(f"part-{index:05}.{self.format}", data.getvalue())

    def finish(self) -> None:
        """Mark the folder as complete.

        Raises:
            OutputError: the marker cannot be written.
        """
        self._write_file(SUCCESS_FILE, b"")

    def _write_file(self, name: str, data: bytes) -> None:
        with self._output_errors():
            file_system, folder = uris.resolve(self.uri)
            # Readers of such folders skip hidden files, and so never see half a shard.
            temporary, target = f"{folder}/.{name}.tmp", f"{folder}/{name}"
            with file_system.open_output_stream(temporary) as file:
                file.write(data)
            # HDFS does not replace an existing file.
            with contextlib.suppress(FileNotFoundError):
                file_system.delete_file(target)
            file_system.move(temporary, target)

    @contextlib.contextmanager
    def _output_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, InputError) as error:
            raise OutputError(f"cannot write {self.uri}: {uris.first_line(error)}") from error
