"""Hides what native libraries print to stdout and stderr."""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator

_lock = threading.RLock()  # reentrant: loading a model imports TensorFlow


@contextlib.contextmanager
def native_output_hidden(*, even_if_verbose: bool = False) -> Iterator[None]:
    """Discard everything that is written to the file descriptors 1 and 2 while the block runs.

    C++ code writes to the descriptors directly and ignores `sys.stdout` and Python's log levels.
    With `--verbose`, the output goes to stderr instead, unless `even_if_verbose` is set.
    """
    verbose = logging.getLogger("mnist_cli").isEnabledFor(logging.INFO) and not even_if_verbose
    with _lock, contextlib.ExitStack() as restore:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # None where the descriptor was closed at start (`>&-`)
                stream.flush()
        target = 2 if verbose else restore.enter_context(open(os.devnull, "w")).fileno()
        for descriptor in (1,) if verbose else (1, 2):
            with contextlib.suppress(OSError):  # the descriptor is closed
                saved = os.dup(descriptor)
                restore.callback(os.close, saved)
                restore.callback(os.dup2, saved, descriptor)
                os.dup2(target, descriptor)
        yield
