"""The worker process: receives chunks of files on stdin and sends their records to stdout.

All messages are pickled. The first request is a `ReaderConfig`; the response is an empty list, or
the error if the model cannot be loaded.
"""

import os
import pickle
import sys
import warnings

from mnist_cli.errors import MnistError
from mnist_cli.records import BatchRecord


def main() -> None:
    """Handle requests until stdin ends."""
    warnings.simplefilter("ignore")  # as in `mnist predict`
    # Move stdout away from file descriptor 1, to which native libraries print.
    with os.fdopen(os.dup(1), "wb") as stdout:
        os.dup2(2, 1)

        def respond(response: list[BatchRecord] | MnistError) -> None:
            pickle.dump(response, stdout)
            stdout.flush()

        requests = sys.stdin.buffer
        try:
            from mnist_cli.batch.reader import Reader

            reader = Reader(pickle.load(requests))
        except MnistError as error:
            respond(error)
            return
        respond([])
        while True:
            try:
                chunk = pickle.load(requests)
            except EOFError:
                return
            respond(reader.read(chunk))
