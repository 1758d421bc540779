"""Reads files in parallel worker processes."""

import contextlib
import os
import pickle
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.encoding import EncodedResults, concatenate, encode
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.results import to_record
from mnist_cli.chunks import growing_chunks
from mnist_cli.errors import MnistError, ModelError

Chunk = list[InputFile]

# Files that a process reads at a time: at first few, so that all processes share a few large
# pictures; later enough to predict in batches.
FIRST_CHUNK_FILES, CHUNK_FILES = 16, 128
# For each process: chunks that are being read, or wait until earlier ones are written.
MAX_PENDING_CHUNKS = 4
# Keeps Ctrl-C from worker processes on Windows, as `start_new_session` does elsewhere.
CREATION_FLAGS = 0
if sys.platform == "win32":
    CREATION_FLAGS = subprocess.CREATE_NEW_PROCESS_GROUP


def available_cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def read_files(
    files: Iterator[InputFile], config: ReaderConfig, processes: int
) -> Generator[EncodedResults, None, None]:
    """Yield the results of all files, in order, one chunk at a time.

    Raises:
        ModelError: the model cannot be loaded.
    """
    # Each thread waits for a process: small pictures mostly run Python code, which holds the global
    # interpreter lock. The threads must end before their processes.
    with contextlib.ExitStack() as started, ThreadPoolExecutor(processes) as threads:
        idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        idle.put(started.enter_context(WorkerProcess(config)))
        pending: deque[Future[EncodedResults]] = deque()

        def read_chunk(chunk: Chunk) -> EncodedResults:
            process = idle.get()
            try:
                return process.read(chunk)
            finally:
                idle.put(process)

        try:
            chunks = growing_chunks(
                files, first=FIRST_CHUNK_FILES, largest=CHUNK_FILES, each=processes
            )
            for index, chunk in enumerate(chunks):
                if 0 < index < processes:
                    idle.put(started.enter_context(WorkerProcess(config)))
                pending.append(threads.submit(read_chunk, chunk))
                if len(pending) > MAX_PENDING_CHUNKS * processes:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


class WorkerProcess:
    """A process that reads one chunk after another, and is restarted if it dies."""

    def __init__(self, config: ReaderConfig, cwd: str | None = None) -> None:
        """Start the process; relative paths start from `cwd`, by default the current folder."""
        self._config = config
        self._cwd = cwd
        self._start()

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        # If this process is killed instead, the worker ends by itself: `worker.main`.
        self._process.kill()
        self._process.communicate()

    def read(self, chunk: Chunk) -> EncodedResults:
        """Read files and return their results.

        Raises:
            ModelError: the model cannot be loaded.
            OutputError: an annotated picture cannot be written.
        """
        try:
            if not self._model_loaded:
                self._await_model()
            # Plain tuples: pickling a named tuple calls Python functions for each file.
            self._send([tuple(file) for file in chunk])
            return self._receive()
        except _WorkerDied as error:
            self._start()
            if len(chunk) != 1:  # find the file that killed it
                return concatenate(self.read([file]) for file in chunk)
            fields = {"error": f"the worker process died while it read this file: {error}"}
            config = self._config
            return encode([to_record(chunk[0], fields, scores=config.scores, multi=config.multi)])

    def _start(self) -> None:
        # The worker also ends with the thread that starts it: Linux counts that as its parent.
        # Import the same modules as this process, and none from the current folder.
        program = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            f"from mnist_cli.batch.worker import main; main({os.getpid()})"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._cwd,
            start_new_session=True,  # only this process handles Ctrl-C
            creationflags=CREATION_FLAGS,
        )
        self._model_loaded = False
        with contextlib.suppress(_WorkerDied):  # `_await_model` raises the error
            self._send(self._config)

    def _await_model(self) -> None:
        try:
            self._receive()
        except _WorkerDied as error:
            raise ModelError(
                f"the worker process died while it loaded the model: {error}"
            ) from error
        self._model_loaded = True

    def _send(self, request: ReaderConfig | list[tuple[str | None, ...]]) -> None:
        assert self._process.stdin
        try:
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise self._worker_died() from error

    def _receive(self) -> EncodedResults:
        """The results of a chunk, or none once the model is loaded."""
        assert self._process.stdout
        try:
            response: EncodedResults | MnistError = pickle.load(self._process.stdout)
        except (EOFError, ValueError, pickle.UnpicklingError) as error:  # ValueError: it is closed
            raise self._worker_died() from error
        if isinstance(response, MnistError):
            raise response
        return response

    def _worker_died(self) -> "_WorkerDied":
        self._process.kill()
        self._process.communicate()
        code = self._process.returncode
        return _WorkerDied(signal.strsignal(-code) if code < 0 else f"exit code {code}")


class _WorkerDied(Exception):
    """A worker ended without a response; the message is its signal or exit code."""
