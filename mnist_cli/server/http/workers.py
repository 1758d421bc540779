"""Starts worker processes that share the listening socket, and replaces dead ones."""

import logging
import mmap
import os
import select
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable

from mnist_cli.errors import ExitCode, MnistError

# Limits the restarts of a worker that fails immediately.
RESTART_DELAY_SECONDS = 1.0

logger = logging.getLogger(__name__)


class ConnectionCounts:
    """The number of connections of each worker, in memory that all workers share."""

    def __init__(self, workers: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, 4 * workers)).cast("i")
        self._slot = 0
        self._parent = os.getpid()

    def claim(self, slot: int) -> None:
        """Make this process the worker with that number."""
        self._slot = slot
        self.update(0)

    def update(self, connections: int) -> None:
        """Set the number of connections of this worker."""
        self._counts[self._slot] = connections

    @property
    def is_above_minimum(self) -> bool:
        """Whether another worker has fewer connections than this one."""
        return self._counts[self._slot] > min(self._counts)

    @property
    def is_orphaned(self) -> bool:
        """Whether the parent process has died without stopping this worker."""
        return os.getppid() != self._parent


WorkerMain = Callable[[ConnectionCounts, Callable[[], None]], None]
"""Runs a worker; it gets the connection counts, and a function to call when it is warm."""


def supervise(bound: socket.socket, count: int, main: WorkerMain, ready: Callable[[], None]) -> int:
    """Run workers until SIGTERM or Ctrl-C, and replace those that die; return the exit code.

    Args:
        bound: the listening socket. The parent closes it with the signal: only workers accept
            connections, and clients are refused as soon as all workers have closed it, too.
        count: the number of workers.
        main: runs a worker.
        ready: called once, when all workers are warm. A worker that dies before that stops all
            workers, and its exit code is returned.
    """
    if sys.platform == "win32":
        raise NotImplementedError  # reported by `mnist serve`
    counts = ConnectionCounts(count)
    slots: dict[int, int] = {}
    warm, code, stopping = 0, 0, False
    warm_read, warm_write = os.pipe()

    def start(slot: int) -> None:
        if stopping:
            return
        pid = os.fork()
        if not pid:
            counts.claim(slot)
            os._exit(_run_worker(main, counts, warm_write))
        slots[pid] = slot
        if stopping:  # the signal came during the fork
            os.kill(pid, signal.SIGTERM)

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        bound.close()
        for pid in list(slots):
            os.kill(pid, signal.SIGTERM)

    # prometheus_client adds up the metrics of all workers in this folder, also of dead ones.
    with tempfile.TemporaryDirectory(prefix="mnist-metrics-") as metrics:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = metrics
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, stop)
        for slot in range(count):
            start(slot)
        while slots:
            if warm < count and select.select([warm_read], [], [], 0.05)[0]:
                warm += len(os.read(warm_read, count))
                if warm == count:
                    ready()
            pid, status = os.waitpid(-1, os.WNOHANG if warm < count else 0)
            if not pid:
                continue
            if pid not in slots:  # the browser of `--open`
                continue
            slot = slots.pop(pid)
            if stopping:
                continue
            exit_code = os.waitstatus_to_exitcode(status)
            if warm < count:
                code = exit_code
                if code < 0:
                    logger.error("a worker was killed by signal %d during its start", -code)
                    code = ExitCode.INTERNAL
                stop()
                continue
            logger.warning("worker %d exited with %d and is replaced", pid, exit_code)
            time.sleep(RESTART_DELAY_SECONDS)
            start(slot)
    return code


def _run_worker(main: WorkerMain, counts: ConnectionCounts, warm_pipe: int) -> int:
    # Ctrl-C reaches the whole process group; the parent passes it on once, as SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        main(counts, lambda: _write(warm_pipe))
    except MnistError as error:
        logger.error("%s", error)
        return error.exit_code
    except Exception as error:
        logger.exception("a worker failed: %r", error)
        return ExitCode.INTERNAL
    return ExitCode.SUCCESS


def _write(pipe: int) -> None:
    os.write(pipe, b"1")
