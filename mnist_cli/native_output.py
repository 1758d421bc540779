"""Keeps the chatter of native libraries out of our own output."""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator

_lock = threading.RLock()  # TensorFlow is imported on the way to loading a model


@contextlib.contextmanager
def native_output_hidden() -> Iterator[None]:
    """While it is open, what is written to the file descriptors 1 and 2 goes nowhere.

    C++ code writes to the descriptors directly, past `sys.stdout` and the log levels of Python.
    With `--verbose` it goes to stderr, for whoever looks for a fault; to stdout it never goes.
    """
    verbose = logging.getLogger("mnist_cli").isEnabledFor(logging.INFO)
    with _lock, contextlib.ExitStack() as restore:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # None where the descriptor was closed at start (`>&-`)
                stream.flush()
        target = 2 if verbose else restore.enter_context(open(os.devnull, "w")).fileno()
        for descriptor in (1,) if verbose else (1, 2):
            with contextlib.suppress(OSError):  # the descriptor is closed: nothing to guard
                saved = os.dup(descriptor)
                restore.callback(os.close, saved)
                restore.callback(os.dup2, saved, descriptor)
                os.dup2(target, descriptor)
        yield
