"""Where the server spends the CPU time of requests on one connection: shares by sampling.

    apt-get install wrk
    python -m benchmarks.serving.request_profile

A timer interrupts the event loop, and the innermost function of STAGES on its stack is counted.
"""

import json
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from types import FrameType

from benchmarks.measure import machine
from benchmarks.serving.throughput import bodies, free_port, requests_per_second, running
from mnist_cli.__main__ import main as run_mnist

WARM_UP_SECONDS, RUN_SECONDS = 2, 15
INTERVAL_SECONDS = 0.001  # of CPU time; the kernel may round it up
STAGES = {
    "mnist_cli/runtimes/litert.py:predict_proba": "inference in LiteRT",
    "mnist_cli/server/native/pixels_json.py:decode_pixels": "JSON to pixels",
    "mnist_cli/preprocessing/candidates.py:prepare_clean": "preprocessing",
    "mnist_cli/recognition.py:read_prepared": "scores to a digit",
    "mnist_cli/server/native/routes.py:predict": "digit to a response",
    "mnist_cli/server/metrics.py:count_request": "metrics",
    "mnist_cli/server/metrics.py:count_prediction": "metrics",
    "mnist_cli/server/metrics.py:count_batch": "metrics",
    "mnist_cli/server/middleware.py:_admit": "access control and headers",
    "mnist_cli/server/middleware.py:_finish": "access control and headers",
    "flask/app.py:__call__": "Flask and Werkzeug",
    "waitress/channel.py:handle_read": "waitress: receive and parse",
    "waitress/task.py:execute": "waitress: environment and headers",
    "waitress/task.py:write": "waitress: environment and headers",
    "waitress/wasyncore.py:send": "sending",
    "mnist_cli/server/http/channel.py:uncork": "our channel",
    "mnist_cli/server/http/microbatch.py:next_batch": "our event loop",
    "waitress/wasyncore.py:poll2": "polling",
    "mnist_cli/server/http/runner.py:_poll_once": "our event loop",
}


def main() -> None:
    """Profile a server with each body and print a table."""
    if len(sys.argv) > 1:  # started as the server
        return _serve(Path(sys.argv.pop()))
    port, shares = free_port(), dict[str, Counter[str]]()
    with tempfile.TemporaryDirectory() as temporary:
        counts = Path(temporary) / "counts.json"
        command = [sys.executable, "-m", "benchmarks.serving.request_profile"]
        for size, body in bodies().items():
            url = f"http://127.0.0.1:{port}/predict"
            serve = ["serve", "--quiet", "--port", str(port), str(counts)]
            with running([*command, *serve], port) as (_, server):
                requests_per_second(Path(temporary), url, body, 1, WARM_UP_SECONDS)
                server.send_signal(signal.SIGUSR1)
                requests_per_second(Path(temporary), url, body, 1, RUN_SECONDS)
                server.send_signal(signal.SIGUSR2)
                while not counts.exists():
                    time.sleep(0.1)
            shares[size] = Counter(json.loads(counts.read_text()))
            counts.unlink()
    print(machine())
    print(f"\n| % of the CPU time | {' | '.join(shares)} |\n|---|{'---|' * len(shares)}")
    for stage in dict.fromkeys(STAGES.values()):
        row = (100 * found[stage] / found.total() for found in shares.values())
        print(f"| {stage} | {' | '.join(f'{share:.1f}' for share in row)} |")


def _serve(counts: Path) -> None:
    """Run `mnist`; SIGUSR1 starts counting, SIGUSR2 writes the counts to a file."""
    found = Counter[str]()

    def sample(_: int, frame: FrameType | None) -> None:
        found[_stage(frame)] += 1

    def start(*_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)

    def stop(*_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        new = counts.with_suffix(".new")
        new.write_text(json.dumps(found))
        new.replace(counts)

    signal.signal(signal.SIGPROF, sample)
    signal.signal(signal.SIGUSR1, start)
    signal.signal(signal.SIGUSR2, stop)
    run_mnist()


def _stage(frame: FrameType | None) -> str:
    while frame:
        function = f"{frame.f_code.co_filename}:{frame.f_code.co_name}"
        for place, stage in STAGES.items():
            if function.endswith(f"/{place}"):
                return stage
        frame = frame.f_back
    return "our event loop"


if __name__ == "__main__":
    main()
