"""Reads files on a Ray cluster."""

import contextlib
import logging
import os
import pickle
import socket
import sys
import warnings
from collections.abc import Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import cast

from mnist_cli import __version__
from mnist_cli.batch import uris
from mnist_cli.batch.actor import RAY_CHUNK_FILES, Actor, ActorConfig, ChunkResult
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.encoding import EncodedResults
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.shards import SHARD_FILES, Shards
from mnist_cli.batch.summary import Summary
from mnist_cli.chunks import chunked
from mnist_cli.errors import ClusterError, install_hint
from mnist_cli.native_output import native_output_hidden

CONNECT_TIMEOUT_SECONDS = 10
# Ray reads one window of chunks at a time, each with new actors. The first window is small, so that
# its records arrive soon. The names of all files in a window are in memory.
FIRST_WINDOW_CHUNKS = 64
MAX_WINDOW_FILES = 1_000_000


@contextlib.contextmanager
def connect(address: str) -> Iterator[None]:
    """Connect to a cluster; `local` starts one on this machine, which ends with the block.

    Raises:
        ClusterError: Ray is not installed, or the cluster cannot be reached.
    """
    verbose = logging.getLogger("mnist_cli").isEnabledFor(logging.INFO)
    if not verbose:
        os.environ["RAY_BACKEND_LOG_LEVEL"] = "fatal"
    with contextlib.ExitStack() as stack:
        # Ray prints messages from the nodes whatever its options say, partly to stdout.
        log_stream = sys.stderr if verbose else stack.enter_context(open(os.devnull, "w"))
        stack.enter_context(contextlib.redirect_stdout(log_stream))
        stack.enter_context(contextlib.redirect_stderr(log_stream))
        _connect(address, verbose)
        try:
            yield
        finally:
            import ray

            with native_output_hidden():
                ray.shutdown()


def _connect(address: str, verbose: bool) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Ray's deprecations of its own API
        try:
            import ray.data
        except ImportError as error:
            raise ClusterError(f"--ray requires Ray ({error})", install_hint("ray")) from error
        context = ray.data.DataContext.get_current()
        context.execution_options.preserve_order = True
        context.enable_progress_bars = False
        if not verbose:
            logging.getLogger("ray.data").setLevel(logging.CRITICAL)
        _check_address(address)
        try:
            with native_output_hidden():
                ray.init(
                    address,
                    log_to_driver=verbose,
                    logging_level="INFO" if verbose else "CRITICAL",
                    **({"include_dashboard": False} if address == "local" else {}),
                )
        except (OSError, RuntimeError, ValueError) as error:
            raise ClusterError(f"no Ray cluster at {address}: {uris.first_line(error)}") from error


def _check_address(address: str) -> None:
    """Check that the host answers: Ray itself would retry for minutes."""
    if address.startswith("ray://"):
        raise ClusterError(
            f"{address}: Ray Data does not support Ray Client: run mnist on a node of the cluster, "
            "with --ray auto"
        )
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host, int(port)), CONNECT_TIMEOUT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(f"no Ray cluster at {address}: {error}") from error


def read_files(
    files: Iterator[InputFile], config: ReaderConfig, processes: int | None
) -> Generator[EncodedResults, None, None]:
    """Yield the results of all files, in order, one chunk at a time, as `pool.read_files` does.

    Raises:
        ModelError: a node cannot load the model.
        ClusterError: the cluster fails.
    """
    results = _map_chunks(files, ActorConfig(config, str(Path.cwd())), processes, RAY_CHUNK_FILES)
    yield from cast(Iterator[EncodedResults], results)


def write_shards(
    files: Iterator[InputFile], config: ReaderConfig, processes: int | None, shards: Shards
) -> Generator[Summary, None, None]:
    """Let the nodes write the records of all files; yield the counts of each shard.

    Raises:
        ModelError: a node cannot load the model.
        OutputError: a shard cannot be written.
        ClusterError: the cluster fails.
    """
    actor_config = ActorConfig(config, str(Path.cwd()), shards)
    results = _map_chunks(files, actor_config, processes, SHARD_FILES)
    yield from cast(Iterator[Summary], results)


def _map_chunks(
    files: Iterator[InputFile], config: ActorConfig, processes: int | None, chunk_files: int
) -> Generator[ChunkResult, None, None]:
    import ray.data
    from ray.exceptions import RayError

    # `ray.data.read_binary_files` would keep all file names in memory, stop at the first file that
    # cannot be opened, and read files of any size.
    chunks = ({"chunk": pickle.dumps(chunk)} for chunk in enumerate(chunked(files, chunk_files)))
    window_chunks = FIRST_WINDOW_CHUNKS
    while window := list(islice(chunks, window_chunks)):
        window_chunks = min(10 * window_chunks, MAX_WINDOW_FILES // chunk_files)
        results = ray.data.from_items(window, override_num_blocks=len(window)).map_batches(
            Actor,
            fn_constructor_args=[__version__, pickle.dumps(config)],
            batch_size=None,
            batch_format="pyarrow",
            # A pool of fixed size would wait forever for a lost node.
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=processes),
            num_cpus=1,
        )
        try:
            for batch in results.iter_batches(batch_size=None, batch_format="pyarrow"):
                for result in map(pickle.loads, batch["result"].to_pylist()):
                    if isinstance(result, Exception):
                        raise result
                    yield result
        except RayError as error:
            if "No module named 'mnist_cli" in str(error):
                raise ClusterError(
                    f"a node does not have mnist-cli {__version__}", "install it on all nodes"
                ) from error
            raise ClusterError(f"Ray: {uris.first_line(error)}") from error
