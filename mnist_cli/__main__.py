"""Entry point of `mnist` and `python -m mnist_cli`."""

import io
import os
import sys
import warnings
from typing import NoReturn


def main() -> NoReturn:
    """Run `mnist` with the arguments and streams of this process, and exit.

    The process ends without the clean-up of the interpreter, as in mypy: to free every object of
    NumPy and LiteRT takes a tenth of the time of `mnist predict`.
    """
    os._exit(_run())


def _run() -> int:
    """Run `mnist` and return its exit code; its output is flushed."""
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
        stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
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


if __name__ == "__main__":
    main()
