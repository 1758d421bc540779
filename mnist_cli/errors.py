"""Defines the exceptions with their exit codes and HTTP status codes."""

import contextlib
import re
from collections.abc import Iterator
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `mnist`; docs/predict.md documents them."""

    SUCCESS = 0
    USAGE = 2
    INPUT = 3
    MODEL = 4
    FILES = 5
    PORT = 6
    CLUSTER = 7
    INTERNAL = 70
    OUTPUT = 74
    INTERRUPTED = 130
    BROKEN_PIPE = 141


def install_hint(extra: str) -> str:
    """Return the tip that installs an optional dependency."""
    return f"run pip install '.[{extra}]' in a clone of mnist, or pip install 'mnist-cli[{extra}]'"


def reason(error: BaseException) -> str:
    """Return the first line of an error that says what is wrong.

    TensorFlow adds headings before it, and the place in the graph.
    """
    lines = (re.sub(r"^{{.*?}} | \[Op:.*", "", line.strip()) for line in str(error).splitlines())
    headings = "<", "Node:"
    content = (line for line in lines if line and line[-1] != ":" and not line.startswith(headings))
    return next(content, type(error).__name__).removesuffix(".")


class MnistError(Exception):
    """Base class of expected errors, which are reported without a traceback.

    As text, an error is one line with its tip; commands show the tip in a second line.
    """

    exit_code: ExitCode
    http_status: int

    def __init__(self, problem: str = "", tip: str | None = None) -> None:
        """Create an error.

        Args:
            problem: what is wrong, and where.
            tip: what to do about it.
        """
        super().__init__(problem, tip)
        self.problem, self.tip = problem, tip

    def __str__(self) -> str:
        return f"{self.problem}; {self.tip}" if self.tip else self.problem


@contextlib.contextmanager
def errors_in(file: str | None) -> Iterator[None]:
    """Add the name of a file to the errors of its picture; None leaves them as they are."""
    try:
        yield
    except InputError as error:
        if file is None:
            raise
        raise type(error)(f"{file}: {error.problem}", error.tip) from error


class UsageError(MnistError):
    """The command cannot work with its arguments or with the list of paths on stdin."""

    exit_code = ExitCode.USAGE


class InputError(MnistError):
    """A picture cannot be read, or contains no digit."""

    exit_code = ExitCode.INPUT
    http_status = 400


class NoDigitError(InputError):
    """A picture can be read, but contains no digit."""


class UnsupportedMediaError(InputError):
    """The Content-Type of a request is not supported."""

    http_status = 415


class ModelError(MnistError):
    """A model is missing, damaged or not supported, or its runtime is not installed."""

    exit_code = ExitCode.MODEL
    http_status = 503


class UnsupportedByLiteRTError(ModelError):
    """LiteRT cannot run a model, or computes other scores than TensorFlow."""


class NoCacheError(ModelError):
    """The user has no home folder, and so no cache."""


class UnknownModelError(ModelError):
    """No model has the requested name."""

    http_status = 404


class UnreadableFileError(MnistError):
    """A file of a batch cannot be read, and `--fail-fast` stops the batch."""

    exit_code = ExitCode.FILES


class BindError(MnistError):
    """The server cannot listen on its address."""

    exit_code = ExitCode.PORT


class ClusterError(MnistError):
    """The Ray cluster cannot be reached or used, or Ray is not installed."""

    exit_code = ExitCode.CLUSTER


class InternalError(MnistError):
    """A defect of `mnist`."""

    exit_code = ExitCode.INTERNAL


class OutputError(MnistError):
    """The results cannot be written, for example because the disk is full."""

    exit_code = ExitCode.OUTPUT


class OutputClosed(MnistError):
    """The reading end of the pipe was closed (`mnist ... | head -1`), so nothing is reported."""

    exit_code = ExitCode.BROKEN_PIPE
