"""Fuzzer: sends mutated requests to `mnist serve`, 100,000 by default.

    .venv/bin/python -m benchmarks.serving.fuzz

Takes requests of all kinds, and flips, removes, repeats and inserts bytes, numbers and headers. The
mutations depend on the seed only. Fails if a request is answered with a status from 500 on, except
501, or not within 10 s, if the server logs a traceback, does not stop cleanly, or leaves files
open. `--only N` sends only request N, for a closer look.
"""

import argparse
import random
import re
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from benchmarks.serving.sample_requests import Request, sample_requests
from benchmarks.serving.server import Server, running_server

TOTAL_REQUESTS = 100_000
CLIENT_THREADS = 4
ANSWER_TIMEOUT_SECONDS = 10.0
FILE_LIMIT = 1024
# The share of clients that reset the connection instead of reading the answer.
RESETS = 0.05
# Makes close() send a reset.
NO_LINGER = struct.pack("ii", 1, 0)

TOKENS = [
    *(b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"\xff\xfe", b"%00", b"%zz"),
    *(
        b"../",
        b"//",
        b"[::1",
        b"http://[::1/",
        b"?",
        b"&",
        b"=",
        b"#",
        b"{",
        b"[",
        b'"',
        b"\x16\x03",
    ),
    *(b"Content-Length: 0\r\n", b"Content-Length: -1\r\n", b"Content-Length: 1, 1\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"Transfer-Encoding: gzip\r\n", b"TE: trailers\r\n"),
    *(b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n"),
    *(b"Content-Encoding: gzip\r\n", b"Inference-Header-Content-Length: 9\r\n", b"Host:\r\n"),
    *(b"Accept: text/html\r\n", b"Origin: null\r\n", b"X-Request-ID: \xe9\r\n", b" HTTP/2.0\r\n"),
    *(b"HEAD", b"OPTIONS", b"PUT", b"TRACE", b"multi=1&", b"scores=1&", b"image=1&", b"true"),
]
NUMBERS = [
    *(b"0", b"-1", b"1", b"00", b"255", b"256", b"0.5", b"-0.0", b"1e999", b"NaN", b"Infinity"),
    *(b"2147483648", b"9223372036854775808", b"9" * 30, b"9" * 5000, b"0x10", b"null", b"[]", b""),
]


def raw(request: Request, chunked: bool = False) -> bytes:
    """Return the bytes of a request."""
    method, path, body, content_type = request
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if content_type:
        head += f"Content-Type: {content_type}\r\n"
    if body is None:
        return head.encode() + b"\r\n"
    if not chunked:
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    middle = len(body) // 2
    chunks = (b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:middle], body[middle:]))
    return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + b"".join(chunks) + b"0\r\n\r\n"


def mutated(samples: list[bytes], choose: random.Random) -> bytes:
    """Return one or more requests with mutations."""
    data = bytearray(b"".join(choose.choices(samples, k=choose.choice([1, 1, 1, 2, 3]))))
    for _ in range(choose.choice([1, 1, 2, 4])):
        # Many mutations are in the request line and the headers, although they are short.
        end = len(data) if choose.random() < 0.7 else max(data.find(b"\r\n\r\n"), 0)
        start = choose.randint(0, end)
        length = choose.choice([1, 1, 2, 8, 64, 1024])
        kind = choose.choice(["flip", "remove", "repeat", "token", "bytes", "number", "truncate"])
        if kind == "flip" and start < len(data):
            data[start] ^= 1 << choose.randrange(8)
        elif kind == "remove":
            del data[start : start + length]
        elif kind == "repeat":
            data[start:start] = data[start : start + length] * choose.choice([1, 2, 100])
        elif kind == "token":
            data[start:start] = choose.choice(TOKENS)
        elif kind == "bytes":
            data[start : start + length] = choose.randbytes(length)
        elif kind == "number" and (number := re.search(rb"\d+", data[start:])):
            data[start + number.start() : start + number.end()] = choose.choice(NUMBERS)
        elif kind == "truncate" and choose.random() < 0.2:
            del data[start:]
    return bytes(data)


def send(server: Server, data: bytes, choose: random.Random) -> list[str]:
    """Send the data on a connection of its own; return the statuses of the answers.

    Raises:
        TimeoutError: the server neither answers nor closes the connection.
    """
    with socket.create_connection(server.address, timeout=ANSWER_TIMEOUT_SECONDS) as connection:
        answers = b""
        try:
            split = choose.choice([len(data), choose.randint(0, len(data))])
            connection.sendall(data[:split])
            connection.sendall(data[split:])
            if choose.random() < RESETS:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                return []
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(2**16):
                answers += part
        except TimeoutError:
            raise
        except OSError:
            pass  # the server may close the connection after an error
    return [status.decode() for status in re.findall(rb"HTTP/1\.[01] (\d{3}) .*\r\n", answers)]


def fuzz(server: Server, seed: int, numbers: range) -> Iterator[str]:
    """Send the requests with these numbers; yield what went wrong."""
    valid = sample_requests()
    samples = [raw(request) for request in valid]
    samples += [raw(request, chunked=True) for request in valid if request[2] is not None]
    # Load all models first: they keep files open.
    for sample in samples:
        send(server, sample, random.Random(1))
    files_before = server.open_files()
    statuses: Counter[str] = Counter()

    def send_number(number: int) -> str | None:
        choose = random.Random(f"{seed} {number}")
        data = mutated(samples, choose)
        try:
            found = send(server, data, choose)
        except TimeoutError:
            return f"request {number} got no answer"
        statuses.update(found)
        if failures := [status for status in found if status >= "500" and status != "501"]:
            return f"request {number} got status {failures[0]}"
        return None

    with ThreadPoolExecutor(CLIENT_THREADS) as clients:
        yield from filter(None, clients.map(send_number, numbers))
    print(f"statuses: {dict(sorted(statuses.items()))}")
    time.sleep(1)
    if (files := server.open_files()) > files_before:
        yield f"{files} files are open in the end, not {files_before}"
    if code := server.stop():
        yield f"the server exited with {code}"
    for line in server.log:
        if re.search("Traceback|exception|failed", line, re.IGNORECASE):
            yield f"the server logged: {line}"


def main() -> None:
    """Send the requests, print what went wrong, and exit with an error if anything did."""
    parser = argparse.ArgumentParser(description="Fuzzer for mnist serve.")
    parser.add_argument("--requests", type=int, default=TOTAL_REQUESTS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, metavar="N", help="send only request N")
    arguments = parser.parse_args()
    numbers = range(arguments.requests)
    if arguments.only is not None:
        numbers = range(arguments.only, arguments.only + 1)
    with running_server(FILE_LIMIT) as server:
        failures = list(fuzz(server, arguments.seed, numbers))
    sys.exit("\n".join(failures) or None)


if __name__ == "__main__":
    main()
