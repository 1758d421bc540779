"""The process behind `pool`: a `Reading` comes from stdin, then chunks of files, all pickled.

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
    # Nothing that a native library prints may get between the answers.
    with os.fdopen(os.dup(1), "wb") as answers:
        os.dup2(2, 1)

        def answer(message: object) -> None:
            pickle.dump(message, answers)
            answers.flush()

        requests = sys.stdin.buffer
        try:
            from mnist_cli.batch.reader import Reader

            reader = Reader(pickle.load(requests))
        except MnistError as error:
            answer(error)
            return
        answer(None)
        while True:
            try:
                chunk = pickle.load(requests)
            except EOFError:
                return
            answer(reader.read(chunk))
