"""The worker process: receives chunks of files on stdin and sends their records to stdout."""

import os
import pickle
import sys
import warnings

from mnist_cli.errors import MnistError
from mnist_cli.records import BatchRecord


def main() -> None:
    """Handle pickled requests until stdin ends.

    The first is a `ReaderConfig`, whose response is an empty list or, if the model cannot be
    loaded, an error; the others are chunks.
    """
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
