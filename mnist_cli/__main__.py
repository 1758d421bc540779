"""`mnist` and `python -m mnist_cli`"""

import io
import os
import sys
import warnings


def main() -> int:
    """Run `mnist` on the streams of this process."""
    try:
        from mnist_cli.cli import main as run
        from mnist_cli.errors import ExitCode
        from mnist_cli.terminal import Terminal

        if not sys.warnoptions:  # Pillow warns of odd pictures; an error is told by its record
            warnings.simplefilter("ignore")
        # A stream that was closed at start (`>&-`) is None; writing to it then goes nowhere.
        stdin = sys.stdin.buffer if sys.stdin else io.BytesIO()
        stdout, stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))
        # A file name that the encoding of the terminal lacks must not stop anything.
        stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
        code = run(sys.argv[1:], Terminal(stdin, stdout, stderr))
        if code in (ExitCode.BROKEN_PIPE, ExitCode.OUTPUT):
            # Python flushes what is left on its way out, and would complain.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
        return code
    except KeyboardInterrupt:  # while the commands themselves are still being imported
        return 130


if __name__ == "__main__":
    sys.exit(main())
