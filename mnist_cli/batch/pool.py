"""Reads chunks of files in processes of their own, one a core.

Threads would wait for each other: most of what is done for a small picture is done in Python.
"""

import contextlib
import pickle
import queue
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from mnist_cli.batch.chunks import chunked
from mnist_cli.batch.config import ReaderConfig
from mnist_cli.batch.listing import InputFile
from mnist_cli.errors import ModelError
from mnist_cli.records import BatchRecord

Chunk = list[InputFile]

# Files that a process reads at a time: few enough to be spread evenly, enough for the model.
CHUNK_FILES = 64
# Portions under way for each process: they wait for the one before them.
MAX_PENDING_CHUNKS = 4


def read_files(
    files: Iterator[InputFile], config: ReaderConfig, processes: int
) -> Generator[list[BatchRecord], None, None]:
    """Yield the records of all files, in order, a chunk at a time.

    Raises:
        ModelError: the model cannot be loaded.
    """
    # The threads end first: what they wait for must not be taken from them.
    with contextlib.ExitStack() as started, ThreadPoolExecutor(processes) as threads:
        idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
        idle.put(started.enter_context(WorkerProcess(config)))
        pending: deque[Future[list[BatchRecord]]] = deque()

        def read_chunk(chunk: Chunk) -> list[BatchRecord]:
            process = idle.get()
            try:
                return process.read(chunk)
            finally:
                idle.put(process)

        try:
            for index, chunk in enumerate(chunked(files, CHUNK_FILES)):
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
    """A process that reads one chunk after the other, and is replaced should it die."""

    def __init__(self, config: ReaderConfig, cwd: str | None = None) -> None:
        """Start it, in the folder where relative paths begin, by default the current one."""
        self._config = config
        self._cwd = cwd
        self._start()

    def __enter__(self) -> "WorkerProcess":
        return self

    def __exit__(self, *_: object) -> None:
        # It ends when its stdin does, which is so too when this process is killed.
        self._process.kill()
        self._process.communicate()

    def read(self, chunk: Chunk) -> list[BatchRecord]:
        """Read files, one record each.

        Raises:
            ModelError: the model cannot be loaded.
        """
        if not self._model_loaded:
            self._await_model()
        try:
            self._send(chunk)
            return self._receive()
        except _WorkerDied as error:
            self._start()
            if len(chunk) > 1:  # each by itself, to find the file that did it
                return [record for file in chunk for record in self.read([file])]
            return [{"file": chunk[0].file, "error": f"the process that read it died: {error}"}]

    def _start(self) -> None:
        # The same modules as here, wherever they came from; nothing from the current folder.
        program = (
            f"import sys; sys.path[:] = {sys.path!r}\n"
            "from mnist_cli.batch.worker import main; main()"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._cwd,
            start_new_session=True,  # Ctrl-C is for this process to deal with
        )
        self._model_loaded = False
        with contextlib.suppress(_WorkerDied):  # told when it is asked
            self._send(self._config)

    def _await_model(self) -> None:
        try:
            self._receive()
        except _WorkerDied as error:
            raise ModelError(f"the process that loads the model died: {error}") from error
        self._model_loaded = True

    def _send(self, message: Any) -> None:
        assert self._process.stdin
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise self._worker_died() from error

    def _receive(self) -> list[BatchRecord]:
        assert self._process.stdout
        try:
            response: list[BatchRecord] | Exception = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError) as error:
            raise self._worker_died() from error
        if isinstance(response, Exception):
            raise response
        return response

    def _worker_died(self) -> "_WorkerDied":
        self._process.kill()
        self._process.communicate()
        code = self._process.returncode
        return _WorkerDied(signal.strsignal(-code) if code < 0 else f"exit code {code}")


class _WorkerDied(Exception):
    """A process has ended before it answered; the message tells how."""
