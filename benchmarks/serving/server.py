"""Runs `mnist serve` for the soak test and the fuzzer, and measures it."""

import contextlib
import os
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import ROOT

# Time, client, request and status.
ACCESS_LOG_LINE = re.compile(r'\S+ \S+ ".*" \d{3} ')


class Server:
    """A server in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Wait until the server is ready."""
        assert process.stderr
        line = process.stderr.readline()
        found = re.search(r" on http://(.*):(\d+)/", line)
        assert found, line
        self.process = process
        self.address = found[1], int(found[2])
        self.log: list[str] = []
        """The lines on stderr that are not in the access log."""
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def resident_mb(self) -> float:
        """Return the resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1000  # type: ignore[index]

    def open_files(self) -> int:
        """Return the number of open descriptors."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code; after that, the log is complete."""
        self.process.terminate()
        code = self.process.wait()
        self._reader.join()
        return code

    def _read_log(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            if not ACCESS_LOG_LINE.match(line):
                self.log.append(line.rstrip())


@contextlib.contextmanager
def running_server(file_limit: int) -> Iterator[Server]:
    """Run a server on a free port with a limit on open files, and kill it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "mnist_cli", "serve", "--port", "0"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (file_limit, file_limit)),
    )
    with process:
        try:
            yield Server(process)
        finally:
            process.kill()
