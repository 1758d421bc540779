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
from mnist_cli.batch.listing import Listed
from mnist_cli.batch.reading import Reading
from mnist_cli.errors import ModelError
from mnist_cli.records import BatchRecord

Chunk = list[Listed]

# Files that a process reads at a time: few enough to be spread evenly, enough for the model.
CHUNK_FILES = 64
# Portions under way for each process: they wait for the one before them.
MAX_PENDING_CHUNKS = 4


def read(
    files: Iterator[Listed], reading: Reading, processes: int
) -> Generator[list[BatchRecord], None, None]:
    """Yield the records of all files, in order, a chunk at a time.

    Raises:
        ModelError: the model cannot be loaded.
    """
    # The threads end first: what they wait for must not be taken from them.
    with contextlib.ExitStack() as started, ThreadPoolExecutor(processes) as threads:
        idle: queue.SimpleQueue[Process] = queue.SimpleQueue()
        idle.put(started.enter_context(Process(reading)))
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
                    idle.put(started.enter_context(Process(reading)))
                pending.append(threads.submit(read_chunk, chunk))
                if len(pending) > MAX_PENDING_CHUNKS * processes:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
        finally:
            for future in pending:
                future.cancel()


class Process:
    """A process that reads one chunk after the other, and is replaced should it die."""

    def __init__(self, reading: Reading, folder: str | None = None) -> None:
        """Start it, in a folder, where relative paths begin; without one, in the current one."""
        self._reading = reading
        self._folder = folder
        self._start()

    def __enter__(self) -> "Process":
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
        if not self._is_ready:
            self._load()
        try:
            self._send(chunk)
            return self._receive()
        except _Died as death:
            self._start()
            if len(chunk) > 1:  # each by itself, to find the file that did it
                return [record for file in chunk for record in self.read([file])]
            return [{"file": chunk[0].file, "error": f"the process that read it died: {death}"}]

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
            cwd=self._folder,
            start_new_session=True,  # Ctrl-C is for this process to deal with
        )
        self._is_ready = False
        with contextlib.suppress(_Died):  # told when it is asked
            self._send(self._reading)

    def _load(self) -> None:
        try:
            self._receive()
        except _Died as death:
            raise ModelError(f"the process that loads the model died: {death}") from death
        self._is_ready = True

    def _send(self, message: Any) -> None:
        assert self._process.stdin
        try:
            pickle.dump(message, self._process.stdin)
            self._process.stdin.flush()
        except OSError as error:
            raise self._death() from error

    def _receive(self) -> list[BatchRecord]:
        assert self._process.stdout
        try:
            answer: list[BatchRecord] | Exception = pickle.load(self._process.stdout)
        except (EOFError, pickle.UnpicklingError) as error:
            raise self._death() from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _death(self) -> "_Died":
        self._process.kill()
        self._process.communicate()
        code = self._process.returncode
        return _Died(signal.strsignal(-code) if code < 0 else f"exit code {code}")


class _Died(Exception):
    """A process has ended before it answered; the message tells how."""
