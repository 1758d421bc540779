"""Entry point of `mnist` and `python -m mnist_cli`."""

import io
import os
import sys
import warnings
from typing import NoReturn

# The encoding of stdout, None for the default. Redirected results are UTF-8 on Windows, too.
ENCODING = "utf-8" if sys.platform == "win32" else None
# STD_OUTPUT_HANDLE, STD_ERROR_HANDLE and ENABLE_VIRTUAL_TERMINAL_PROCESSING of the Windows API.
STANDARD_HANDLES = (-11, -12)
VIRTUAL_TERMINAL = 4


def main() -> NoReturn:
    """Run `mnist` with the arguments and streams of this process, and exit.

    The process ends without the clean-up of the interpreter, as in mypy: to free every object of
    NumPy and LiteRT takes a tenth of the time of `mnist predict`.
    """
    os._exit(_run())


def _run() -> int:
    """Run `mnist` and return its exit code; its output is flushed."""
    # The matrices are small: the threads that OpenBLAS starts with NumPy would only spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _open_closed_descriptors()
    try:
        from mnist_cli.cli import main as run
        from mnist_cli.errors import ExitCode
        from mnist_cli.terminal import Terminal

        if not sys.warnoptions:  # hide Pillow's warnings about pictures
            warnings.simplefilter("ignore")
        # Python sets a stream to None if it is closed at start-up (`>&-`).
        stdin = sys.stdin.buffer if sys.stdin else io.BytesIO()
        stdout = sys.stdout or open(1, "w", closefd=False)
        stderr = sys.stderr or open(os.devnull, "w")
        # File names may contain characters that the encoding of the terminal lacks.
        stdout.reconfigure(encoding=ENCODING, errors="backslashreplace")  # type: ignore[union-attr]
        _enable_escape_sequences()
        code = run(sys.argv[1:], Terminal(stdin, stdout, stderr))
        if code not in (ExitCode.BROKEN_PIPE, ExitCode.OUTPUT):
            stdout.flush()
        return code
    except KeyboardInterrupt:  # during imports
        return 130


def _open_closed_descriptors() -> None:
    """Open those of the descriptors 0 to 2 that are closed, so that no file gets their number.

    Reading from them returns nothing, and writing to them fails, as it would if they were closed.
    """
    while (descriptor := os.open(os.devnull, os.O_RDONLY)) <= 2:
        pass
    os.close(descriptor)


def _enable_escape_sequences() -> None:
    """Let the console of Windows, if there is one, interpret escape sequences such as colours."""
    if sys.platform == "win32":
        import ctypes

        kernel32, mode = ctypes.windll.kernel32, ctypes.c_ulong()
        for handle in map(kernel32.GetStdHandle, STANDARD_HANDLES):
            if kernel32.GetConsoleMode(handle, ctypes.byref(mode)):
                kernel32.SetConsoleMode(handle, mode.value | VIRTUAL_TERMINAL)


if __name__ == "__main__":
    main()
