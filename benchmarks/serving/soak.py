"""Soak test: memory and open files of `mnist serve` over 200,000 requests, under attack.

    .venv/bin/python -m benchmarks.serving.soak

Sends requests of all kinds. Meanwhile, other clients never read their answers, or hold more idle
connections than the server may open files. Prints the resident memory and the open files after each
10,000 requests. Fails if one of them grows by more than 5 % after the first 10,000, if any request
fails or is answered with status 500, or if the server logs an error.
"""

import argparse
import contextlib
import http.client
import itertools
import resource
import socket
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from benchmarks.serving.sample_requests import Request, sample_requests
from benchmarks.serving.server import Server, running_server

TOTAL_REQUESTS = 200_000
REQUESTS_PER_SAMPLE = 10_000
CLIENT_THREADS = 4
MAX_GROWTH = 1.05
# The usual limit on open files, and more connections than that.
FILE_LIMIT = 1024
IDLE_CONNECTIONS = 1100
NON_READERS = 10
# Longer than the idle timeout of the server.
NON_READER_SECONDS = 40.0
PIPELINED_REQUESTS = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2000


def hold_idle_connections(server: Server, stop: threading.Event) -> None:
    """Keep idle connections open, and open a new one for each that the server closes."""
    connections: list[socket.socket] = []
    while not stop.wait(1):
        connections = [connection for connection in connections if not _was_closed(connection)]
        for _ in range(IDLE_CONNECTIONS - len(connections)):
            connections.append(socket.create_connection(server.address))
            connections[-1].setblocking(False)
    for connection in connections:
        connection.close()


def _was_closed(connection: socket.socket) -> bool:
    """Whether the server has closed a connection; then close it, too."""
    try:
        connection.recv(1)
    except BlockingIOError:
        return False
    except ConnectionResetError:
        pass
    connection.close()
    return True


def send_without_reading(server: Server, stop: threading.Event) -> None:
    """Pipeline requests on several connections, and never read the answers."""
    while not stop.is_set():
        with contextlib.ExitStack() as stack:
            for _ in range(NON_READERS):
                connection = stack.enter_context(socket.socket())
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect(server.address)
                connection.sendall(PIPELINED_REQUESTS)
            stop.wait(NON_READER_SECONDS)


def main() -> None:
    """Send the requests, print the measurements, and exit with an error if they grow too much."""
    parser = argparse.ArgumentParser(description="Soak test of mnist serve.")
    parser.add_argument("--requests", type=int, default=TOTAL_REQUESTS)
    total = parser.parse_args().requests
    hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))
    with running_server(FILE_LIMIT) as server:
        sys.exit(soak(server, total))


def soak(server: Server, total: int) -> str | None:
    """Send so many requests under attack; return what went wrong, if anything."""
    local = threading.local()
    statuses: Counter[int] = Counter()

    def send(request: Request) -> int:
        if not hasattr(local, "connection"):
            local.connection = http.client.HTTPConnection(*server.address)
        method, path, body, content_type = request
        headers = {"Content-Type": content_type} if content_type else {}
        local.connection.request(method, path, body, headers)
        response = local.connection.getresponse()
        response.read()
        return int(response.status)

    files_before = server.open_files()
    stop = threading.Event()
    attackers = [
        threading.Thread(target=attack, args=(server, stop))
        for attack in (hold_idle_connections, send_without_reading)
    ]
    for attacker in attackers:
        attacker.start()
    requests = itertools.islice(itertools.cycle(sample_requests()), total)
    memory_mb, files = [], []
    try:
        with ThreadPoolExecutor(CLIENT_THREADS) as clients:
            while chunk := list(itertools.islice(requests, REQUESTS_PER_SAMPLE)):
                statuses.update(clients.map(send, chunk))
                memory_mb.append(server.resident_mb())
                files.append(server.open_files())
                print(
                    f"{statuses.total():>7,} requests  {memory_mb[-1]:6.1f} MB  "
                    f"{files[-1]:4} open files",
                    flush=True,
                )
    finally:
        stop.set()
        for attacker in attackers:
            attacker.join()
    time.sleep(1)
    files_after = server.open_files()
    exit_code = server.stop()
    growth = max(memory_mb) / memory_mb[0], max(files) / files[0]
    print(f"statuses: {dict(sorted(statuses.items()))}")
    print(f"largest growth: memory {growth[0] - 1:.1%}, open files {growth[1] - 1:.1%}")
    print(*server.log, sep="\n")
    failures = {
        "memory or open files grew": max(growth) > MAX_GROWTH,
        f"{files_after} files are open in the end, not {files_before}": files_after > files_before,
        "a request got status 500": 500 in statuses,
        "the server logged an error": any("warning" not in line for line in server.log),
        f"the server exited with {exit_code}": exit_code != 0,
    }
    return ", ".join(failure for failure, occurred in failures.items() if occurred) or None


if __name__ == "__main__":
    main()
