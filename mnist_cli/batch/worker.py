"""The worker process: receives chunks of files on stdin and sends their records to stdout."""

import ctypes
import os
import pickle
import signal
import sys
import warnings

from mnist_cli.batch.encoding import EncodedResults, encode
from mnist_cli.batch.listing import InputFile
from mnist_cli.errors import MnistError

# `PR_SET_PDEATHSIG` of Linux's prctl.h.
SET_PARENT_DEATH_SIGNAL = 1


def main(parent: int) -> None:
    """Handle pickled requests until stdin ends or the process `parent` dies.

    The first is a `ReaderConfig`, whose response has no results; the others are chunks. The
    response is an error if the model cannot be loaded, or an annotated picture cannot be written.
    """
    _end_with(parent)
    warnings.simplefilter("ignore")  # as in `mnist predict`
    # Move stdout away from file descriptor 1, to which native libraries print.
    with os.fdopen(os.dup(1), "wb") as stdout:
        os.dup2(2, 1)

        def respond(response: EncodedResults | MnistError) -> None:
            pickle.dump(response, stdout)
            stdout.flush()

        requests = sys.stdin.buffer
        try:
            from mnist_cli.batch.reader import Reader

            reader = Reader(pickle.load(requests))
        except MnistError as error:
            respond(error)
            return
        respond(encode([]))
        while True:
            try:
                chunk = list(map(InputFile._make, pickle.load(requests)))
            except EOFError:
                return
            try:
                results: EncodedResults | MnistError = encode(
                    reader.read(chunk), reader.several_pages
                )
            except MnistError as error:
                results = error
            respond(results)


def _end_with(parent: int) -> None:
    """End this process when its parent dies, whatever it is doing at that moment.

    Systems other than Linux have no such signal; there, the worker ends when it next reads stdin.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    # On Windows, the launcher of a virtual environment is between the two processes.
    if sys.platform != "win32" and os.getppid() != parent:  # it died before the signal was set
        sys.exit()
