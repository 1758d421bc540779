"""Several processes that share one listening socket, and a parent that watches over them."""

import logging
import mmap
import os
import select
import signal
import tempfile
import time
from collections.abc import Callable

from mnist_cli.errors import ExitCode, MnistError

# Keeps a worker that fails at once from being started without pause.
RESTART_DELAY_SECONDS = 1.0

logger = logging.getLogger(__name__)


class ConnectionCounts:
    """How many connections each worker has, in memory that all of them see."""

    def __init__(self, workers: int) -> None:
        self._counts = memoryview(mmap.mmap(-1, 4 * workers)).cast("i")
        self._own = 0
        self._parent = os.getpid()

    def claim(self, slot: int) -> None:
        """Say which worker this process is."""
        self._own = slot
        self.update(0)

    def update(self, connections: int) -> None:
        """Tell the others how many connections this worker has."""
        self._counts[self._own] = connections

    @property
    def is_orphaned(self) -> bool:
        """Whether the parent is gone, killed so that it could not tell its workers."""
        return os.getppid() != self._parent

    @property
    def is_above_minimum(self) -> bool:
        """Whether another worker has fewer connections than this one."""
        return self._counts[self._own] > min(self._counts)


# What a worker runs: it is given the shares, and what to call when it is warm.
WorkerMain = Callable[[ConnectionCounts, Callable[[], None]], None]


def supervise(count: int, work: WorkerMain, ready: Callable[[], None]) -> int:
    """Run that many workers until SIGTERM or Ctrl-C; return the exit code.

    When all of them are warm, `ready` is called. From then on a worker that dies is replaced; if
    one dies before that, all end, with its exit code.
    """
    counts = ConnectionCounts(count)
    slots: dict[int, int] = {}
    warm, code, stopping = 0, 0, False
    warm_read, warm_write = os.pipe()

    def start(slot: int) -> None:
        pid = os.fork()
        if not pid:
            counts.claim(slot)
            os._exit(_run_worker(work, counts, lambda: _write(warm_write)))
        slots[pid] = slot
        if stopping:  # the signal came while it was made
            os.kill(pid, signal.SIGTERM)

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        for pid in list(slots):
            os.kill(pid, signal.SIGTERM)

    # In this folder the metrics of all workers add up, also of those that died.
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
            slot = slots.pop(pid)
            if stopping:
                continue
            if warm < count:
                code = os.waitstatus_to_exitcode(status)
                if code < 0:
                    logger.error("a worker was ended by signal %d while it started", -code)
                    code = ExitCode.INTERNAL
                stop()
                continue
            logger.warning("worker %d died (%d) and is replaced", pid, status)
            time.sleep(RESTART_DELAY_SECONDS)
            start(slot)
    return code


def _run_worker(work: WorkerMain, counts: ConnectionCounts, warm: Callable[[], None]) -> int:
    # Ctrl-C reaches the whole group of processes; the parent passes it on, once.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        work(counts, warm)
    except MnistError as error:
        logger.error("%s", error)
        return error.exit_code
    except Exception:
        logger.exception("a worker failed")
        return ExitCode.INTERNAL
    return ExitCode.SUCCESS


def _write(pipe: int) -> None:
    os.write(pipe, b"1")
