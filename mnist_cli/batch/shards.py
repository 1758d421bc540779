"""Records in a folder of many files, which the nodes of a cluster write themselves."""

import contextlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from mnist_cli.batch import uris
from mnist_cli.batch.sinks import select_for_review, write_records
from mnist_cli.errors import InputError, OutputError
from mnist_cli.option_types import BatchFormat
from mnist_cli.records import BatchRecord

# Records in a shard, before those that are not below `--below` are taken out.
SHARD_RECORDS = 10_000
# What Hadoop and Spark call it.
SUCCESS_FILE = "_SUCCESS"


@dataclass(frozen=True)
class Shards:
    """A folder with `part-00000.jsonl`, or `.parquet`, and so on, in the order of the records."""

    uri: str
    format: BatchFormat
    scores: bool
    below: float | None

    def begin(self, sources: Iterable[str]) -> None:
        """Make the folder.

        Raises:
            OutputError: it cannot be made, something is in it, or it lies in one that is read.
        """
        from pyarrow.fs import FileSelector

        with self._output_errors():
            file_system, folder = uris.resolve(self.uri)
            for source in sources:
                place, path = uris.resolve(uris.to_uri(source))
                if place == file_system and f"{folder}/".startswith(path.rstrip("/") + "/"):
                    raise OutputError(f"{self.uri} lies in {source}, which is read: name another")
            file_system.create_dir(folder)
            if file_system.get_file_info(FileSelector(folder)):
                raise OutputError(f"{self.uri} is not empty: name another folder, or empty it")

    def write(self, number: int, records: Sequence[BatchRecord]) -> None:
        """Write one shard; a second time, as after the death of a node, it becomes the same.

        Raises:
            OutputError: it cannot be written.
        """
        data = io.BytesIO()
        write_records(data, select_for_review(records, self.below), self.format, self.scores)
        self._put(f"part-{number:05}.{self.format}", data.getvalue())

    def finish(self) -> None:
        """Mark the folder as complete.

        Raises:
            OutputError: that cannot be written.
        """
        self._put(SUCCESS_FILE, b"")

    def _put(self, name: str, data: bytes) -> None:
        with self._output_errors():
            file_system, folder = uris.resolve(self.uri)
            # A hidden name until it is whole: readers of such folders pass it over.
            temporary, target = f"{folder}/.{name}.tmp", f"{folder}/{name}"
            with file_system.open_output_stream(temporary) as file:
                file.write(data)
            # HDFS does not replace a file.
            with contextlib.suppress(FileNotFoundError):
                file_system.delete_file(target)
            file_system.move(temporary, target)

    @contextlib.contextmanager
    def _output_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, InputError) as error:
            raise OutputError(f"{self.uri} cannot be written: {uris.first_line(error)}") from error
