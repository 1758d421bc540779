"""Records in a folder of many files, which the nodes of a cluster write themselves."""

import contextlib
import io
import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from mnist_cli.batch import uris
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.parquet import write_parquet
from mnist_cli.batch.run import NO_FILES
from mnist_cli.batch.sinks import below
from mnist_cli.batch.summary import Summary
from mnist_cli.errors import InputError, OutputError
from mnist_cli.option_types import BatchFormat
from mnist_cli.output import json_lines
from mnist_cli.records import BatchRecord

logger = logging.getLogger(__name__)

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
        wanted = below(records, self.below)
        if self.format == "parquet":
            write_parquet(data, wanted, self.scores)
        else:
            data.write(json_lines(wanted).encode())
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


def run_sharded(
    files: Iterator[InputFile],
    read: Callable[[Iterator[InputFile]], Generator[Summary, None, None]],
    shards: Shards,
    on_progress: Callable[[Summary], None],
) -> Summary:
    """As `run.run`, where `read` writes the records itself and tells what they were in numbers.

    Raises:
        InputError: there are no files.
        MnistError: whatever `read` raises.
        OutputError: the folder cannot be marked as complete.
    """
    summary = Summary()
    try:
        with closing(read(files)) as summaries:
            for shard_summary in summaries:
                summary.merge(shard_summary)
                on_progress(summary)
        if not summary.files:
            raise InputError(NO_FILES)
        shards.finish()
    except BaseException:
        if summary.files:
            logger.warning("%s is not complete: it has no %s", shards.uri, SUCCESS_FILE)
        raise
    return summary
