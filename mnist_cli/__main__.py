"""Entry point of `mnist` and `python -m mnist_cli`."""

import io
import os
import sys
import warnings


def main() -> int:
    """Run `mnist` with the arguments and streams of this process; returns its exit code."""
    try:
        from mnist_cli.cli import main as run
        from mnist_cli.errors import ExitCode
        from mnist_cli.terminal import Terminal

        if not sys.warnoptions:  # hide Pillow's warnings about pictures
            warnings.simplefilter("ignore")
        # Python sets a stream to None if it is closed at start-up (`>&-`).
        stdin = sys.stdin.buffer if sys.stdin else io.BytesIO()
        stdout, stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))
        # File names may contain characters that the encoding of the terminal lacks.
        stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        code = run(sys.argv[1:], Terminal(stdin, stdout, stderr))
        if code in (ExitCode.BROKEN_PIPE, ExitCode.OUTPUT):
            # Python flushes stdout at exit and would report the error again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return code
    except KeyboardInterrupt:  # during imports
        return 130


if __name__ == "__main__":
    sys.exit(main())
