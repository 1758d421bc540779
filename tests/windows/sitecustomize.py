"""Makes a Python process on Linux similar to one on Windows; Python imports this when it starts.

It removes what Windows lacks, adds what only Windows has, and forbids what Windows forbids, such as
replacing an open file. The form of paths remains that of Linux.
"""

# Modules that choose at their import how to use the system are imported before.
import builtins
import ctypes
import errno
import fcntl
import importlib
import mimetypes
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile  # noqa: F401
import types
from typing import Any

import platformdirs  # noqa: F401
import typer  # noqa: F401

MISSING_MODULES = ("fcntl", "grp", "pty", "pwd", "resource", "termios", "tty")
MISSING = {
    os: (
        *("fork", "forkpty", "register_at_fork", "sched_getaffinity", "sysconf", "uname"),
        *("chown", "geteuid", "getgid", "getpgid", "getuid", "killpg", "mkfifo", "setsid"),
        *("pread", "pwrite", "posix_fallocate", "wait3", "wait4"),
        *("O_CLOEXEC", "O_DIRECTORY", "O_NOCTTY", "O_NOFOLLOW", "O_NONBLOCK"),
    ),
    select: ("epoll", "poll"),
    socket: ("AF_UNIX",),
}
SIGNALS = {"SIGABRT", "SIGBREAK", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"}
O_BINARY = 2**30
LOCK = fcntl.LOCK_EX | fcntl.LOCK_NB
KILL = signal.SIGKILL

real = types.SimpleNamespace(**vars(os), open_file=open, lock_file=fcntl.lockf)
text_descriptors: set[int] = set()


def os_open(path: Any, flags: int, *arguments: Any, **options: Any) -> int:
    """Refuse folders, and note which files have line ends of Windows."""
    if real.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", path)
    descriptor: int = real.open(path, flags & ~O_BINARY, *arguments, **options)
    if not flags & O_BINARY:
        text_descriptors.add(descriptor)
    return descriptor


def os_read(descriptor: int, size: int) -> bytes:
    content: bytes = real.read(descriptor, size)
    return content.replace(b"\r\n", b"\n") if descriptor in text_descriptors else content


def os_close(descriptor: int) -> None:
    text_descriptors.discard(descriptor)
    real.close(descriptor)


def open_file(file: Any, *arguments: Any, **options: Any) -> Any:
    if not isinstance(file, int) and real.path.isdir(file):
        raise PermissionError(errno.EACCES, "Permission denied", file)
    return real.open_file(file, *arguments, **options)


def check_closed(path: Any) -> None:
    """Refuse to change a file that this process has open."""
    if real.path.exists(path):
        for descriptor in real.listdir("/proc/self/fd"):
            link = f"/proc/self/fd/{descriptor}"
            if real.path.exists(link) and real.path.samefile(link, path):
                raise PermissionError(errno.EACCES, "Another process is using the file", path)


def os_unlink(path: Any, **options: Any) -> None:
    check_closed(path)
    real.unlink(path, **options)


def os_replace(source: Any, target: Any, **options: Any) -> None:
    check_closed(source)
    check_closed(target)
    real.replace(source, target, **options)


class Entry:
    """An `os.DirEntry`, whose status has neither device nor inode."""

    def __init__(self, entry: Any) -> None:
        self._entry = entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._entry, name)

    def __fspath__(self) -> Any:
        return self._entry.path

    def stat(self, **options: Any) -> os.stat_result:
        mode, _, _, *rest = self._entry.stat(**options)
        return os.stat_result((mode, 0, 0, *rest))


class ScanFolder:
    """`os.scandir`, with such entries."""

    def __init__(self, path: Any = ".") -> None:
        self._entries = real.scandir(path)

    def __enter__(self) -> "ScanFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __iter__(self) -> "ScanFolder":
        return self

    def __next__(self) -> Entry:
        return Entry(next(self._entries))

    def close(self) -> None:
        self._entries.close()


def fsdecode(name: Any) -> str:
    """Return a name, which is UTF-16; bytes are refused unless they are UTF-8."""
    name = os.fspath(name)
    return name.decode("utf-8", "surrogatepass") if isinstance(name, bytes) else name


def lock_bytes(descriptor: int, _mode: int, count: int) -> None:
    """Lock bytes from the current position, as `msvcrt.locking` with `LK_NBLCK`."""
    try:
        real.lock_file(descriptor, LOCK, count, 0, os.SEEK_CUR)
    except BlockingIOError as error:
        raise PermissionError(errno.EACCES, "Permission denied") from error


def get_console_mode(handle: int, mode: Any) -> bool:
    mode._obj.value = 3  # the default
    return os.isatty(handle)


def set_console_mode(handle: int, mode: int) -> None:
    with open(os.environ["CONSOLE_MODES"], "a") as file:
        file.write(f"{handle} {mode}\n")


if "serve" in sys.orig_argv:
    import flask  # noqa: F401
    import waitress.trigger

    os.name = "nt"  # wakes the event loop with a socket instead of a pipe
    importlib.reload(waitress.trigger)
    os.name = "posix"
for name in MISSING_MODULES:
    sys.modules[name] = None  # type: ignore[assignment]
for module, names in MISSING.items():
    for name in names:
        vars(module).pop(name, None)
vars(signal).update(SIGBREAK=signal.SIGUSR1, CTRL_BREAK_EVENT=signal.SIGUSR1)
for name in [name for name in vars(signal) if name.startswith("SIG") and name[3].isalpha()]:
    if name not in SIGNALS:
        del vars(signal)[name]
vars(builtins).update(open=open_file)
vars(os).update(
    open=os_open,
    read=os_read,
    close=os_close,
    unlink=os_unlink,
    remove=os_unlink,
    rename=os_replace,
    replace=os_replace,
    scandir=ScanFolder,
    fsdecode=fsdecode,
    getppid=lambda: 1,  # the program `python.exe` of an environment runs Python in another process
    O_BINARY=O_BINARY,
)
# On Windows, SO_REUSEADDR allows other programs on the same port.
vars(socket).update(SO_REUSEADDR=socket.SO_REUSEPORT, SO_EXCLUSIVEADDRUSE=socket.SO_REUSEADDR)
del vars(socket)["SO_REUSEPORT"]
mimetypes.add_type("text/plain", ".js")  # as in many registries
vars(shutil).update(_use_fd_functions=False)
vars(subprocess).update(CREATE_NEW_PROCESS_GROUP=0)
subprocess.Popen.kill = lambda self: self.send_signal(KILL)  # type: ignore[method-assign]
vars(sys).update(platform="win32", getfilesystemencodeerrors=lambda: "surrogatepass")
sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=lock_bytes)  # type: ignore[assignment]
vars(ctypes).update(
    windll=types.SimpleNamespace(
        kernel32=types.SimpleNamespace(
            GetStdHandle=lambda number: {-11: 1, -12: 2}[number],
            GetConsoleMode=get_console_mode,
            SetConsoleMode=set_console_mode,
        )
    )
)
