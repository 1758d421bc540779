"""Locks files between processes."""

import os
import sys
import time
from typing import IO, Any

# Windows locks bytes, and other processes cannot read them: this one lies behind the content.
LOCKED_BYTE = 2**31 - 1
# Between two attempts on Windows, which can wait for at most ten seconds itself.
RETRY_SECONDS = 0.1


def lock(file: IO[Any], *, wait: bool) -> None:
    """Lock a file until it is closed, or the process ends for whatever reason.

    Raises:
        BlockingIOError: another process has locked it, and `wait` is False.
        OSError: the file cannot be locked.
    """
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    import msvcrt

    os.lseek(file.fileno(), LOCKED_BYTE, os.SEEK_SET)
    while True:
        try:
            return msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError as error:
            if not wait:
                raise BlockingIOError(error.errno, error.strerror) from error
        time.sleep(RETRY_SECONDS)
