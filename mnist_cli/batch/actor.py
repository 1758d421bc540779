"""What runs on the nodes of a Ray cluster; Ray Data makes the actors."""

import pickle
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_cli import __version__
from mnist_cli.batch.chunks import chunked
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.pool import WorkerProcess
from mnist_cli.batch.shards import Shards
from mnist_cli.batch.summary import Summary
from mnist_cli.errors import ClusterError, MnistError
from mnist_cli.records import BatchRecord

if TYPE_CHECKING:
    import pyarrow as pa

# Files that are read at a time: pictures that wait for the model take memory.
RAY_CHUNK_FILES = 256


@dataclass(frozen=True)
class ActorConfig:
    """What an actor is to do."""

    reader: ReaderConfig
    folder: str
    """Where relative paths begin."""
    shards: Shards | None = None
    """Where it writes the records; None to send them back."""


ChunkResult = list[BatchRecord] | Summary | Exception
"""The records of a chunk, or what they were in numbers if a shard has them; or what failed."""


class Actor:
    """Loads the model once, and then reads one chunk of files after the other.

    The files are read in a process of its own: one that crashes the decoder then costs the actor
    nothing, and has its error in its record, as without Ray.
    """

    def __init__(self, version: str, config: bytes) -> None:
        """Start the process; the work is pickled, which another version may not understand."""
        self._startup_error: MnistError | None = None
        if version != __version__:
            self._startup_error = ClusterError(
                f"mnist-cli is {__version__}, not {version}: install the same on all nodes"
            )
            return
        self._config: ActorConfig = pickle.loads(config)
        folder = self._config.folder
        self._process = WorkerProcess(
            self._config.reader, folder if Path(folder).is_dir() else None
        )

    def __call__(self, batch: "pa.Table") -> "pa.Table":
        """Read chunks: [N] pickled (index, files) -> [N] pickled `ChunkResult`."""
        import pyarrow as pa

        results = [
            pickle.dumps(self._result(*pickle.loads(chunk.as_py()))) for chunk in batch["chunk"]
        ]
        return pa.table({"result": pa.array(results, pa.binary())})

    def _result(self, index: int, files: list[InputFile]) -> ChunkResult:
        # What an actor raises, Ray buries among its own messages.
        try:
            if self._startup_error:
                raise self._startup_error
            records = [
                record
                for chunk in chunked(files, RAY_CHUNK_FILES)
                for record in self._process.read(chunk)
            ]
            if self._config.shards is None:
                return records
            self._config.shards.write(index, records)
            summary = Summary()
            summary.add(*records)
            return summary
        except MnistError as error:
            return type(error)(f"on {platform.node()}: {error}")
        except Exception as error:
            return error
