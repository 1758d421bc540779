"""The Ray actor, which reads chunks of files on a node."""

import pickle
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnist_cli import __version__
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.encoding import EncodedResults, concatenate
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.pool import WorkerProcess
from mnist_cli.batch.shards import Shards
from mnist_cli.batch.summary import Summary
from mnist_cli.chunks import chunked
from mnist_cli.errors import ClusterError, MnistError

if TYPE_CHECKING:
    import pyarrow as pa

# Files that an actor reads at a time: all their pictures are in memory until the model runs.
RAY_CHUNK_FILES = 256


@dataclass(frozen=True)
class ActorConfig:
    """The settings of an `Actor`."""

    reader: ReaderConfig
    cwd: str
    """The folder where relative paths start."""
    shards: Shards | None = None
    """Where the actor writes records; None to return them."""


ChunkResult = EncodedResults | Summary | Exception
"""The results of a chunk, their counts if they are in a shard, or the error."""


class Actor:
    """Loads the model once, and then reads one chunk of files after another.

    Files are read in a worker process, so that a crash in a decoder becomes an error in a record
    and the actor survives.
    """

    def __init__(self, version: str, config: bytes) -> None:
        """Start the worker; `config` is pickled, which another version may not understand."""
        self._startup_error: MnistError | None = None
        if version != __version__:
            self._startup_error = ClusterError(
                f"mnist-cli {__version__} is installed, but the batch was started with {version}: "
                "install the same version on all nodes"
            )
            return
        self._config: ActorConfig = pickle.loads(config)
        cwd = self._config.cwd
        self._process = WorkerProcess(self._config.reader, cwd if Path(cwd).is_dir() else None)

    def __call__(self, batch: "pa.Table") -> "pa.Table":
        """Read chunks: [N] pickled (index, files) -> [N] pickled `ChunkResult`."""
        import pyarrow as pa

        results = [
            pickle.dumps(self._read(*pickle.loads(chunk.as_py()))) for chunk in batch["chunk"]
        ]
        return pa.table({"result": pa.array(results, pa.binary())})

    def _read(self, index: int, files: list[InputFile]) -> ChunkResult:
        # Errors are returned: Ray hides an exception among its own messages.
        try:
            if self._startup_error:
                raise self._startup_error
            results = concatenate(map(self._process.read, chunked(files, RAY_CHUNK_FILES)))
            if self._config.shards is None:
                return results
            self._config.shards.write(index, results.lines)
            return results.counts
        except MnistError as error:
            return type(error)(f"on {platform.node()}: {error.problem}", error.tip)
        except Exception as error:
            return error
