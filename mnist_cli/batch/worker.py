"""The process behind `pool`: a `ReaderConfig` comes from stdin, then chunks of files, all pickled.

It answers on stdout: None when the model is loaded, then the records of each chunk.
"""

import os
import pickle
import sys
import warnings

from mnist_cli.errors import MnistError


def main() -> None:
    """Read until stdin ends."""
    warnings.simplefilter("ignore")  # as in `mnist predict`
    # Nothing that a native library prints may get between the responses.
    with os.fdopen(os.dup(1), "wb") as responses:
        os.dup2(2, 1)

        def respond(message: object) -> None:
            pickle.dump(message, responses)
            responses.flush()

        requests = sys.stdin.buffer
        try:
            from mnist_cli.batch.reader import Reader

            reader = Reader(pickle.load(requests))
        except MnistError as error:
            respond(error)
            return
        respond(None)
        while True:
            try:
                chunk = pickle.load(requests)
            except EOFError:
                return
            respond(reader.read(chunk))
