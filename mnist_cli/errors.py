"""What can go wrong, and the exit code that tells a shell script which of it did."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of `mnist`; they are part of its interface (README, "Exit codes")."""

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


class MnistError(Exception):
    """A failure that is explained to people by its message alone: one line, no traceback."""

    exit_code: ExitCode
    http_status: int


class InputError(MnistError):
    """A picture cannot be read, or there is no digit in it."""

    exit_code = ExitCode.INPUT
    http_status = 400


class UnsupportedMediaError(InputError):
    """A request has a body of a kind that nothing here reads."""

    http_status = 415


class ModelError(MnistError):
    """A model is missing, damaged or does not fit, or its runtime is not installed."""

    exit_code = ExitCode.MODEL
    http_status = 503


class UnknownModelError(ModelError):
    """There is no model of that name."""

    http_status = 404


class FileError(MnistError):
    """A file of a batch cannot be read, and the batch was to stop there."""

    exit_code = ExitCode.FILES


class BindError(MnistError):
    """The address of the server is taken, or not to be had."""

    exit_code = ExitCode.PORT


class ClusterError(MnistError):
    """The Ray cluster cannot be reached or used, or Ray is not installed."""

    exit_code = ExitCode.CLUSTER


class OutputError(MnistError):
    """The results cannot be written, for instance because the disk is full."""

    exit_code = ExitCode.OUTPUT


class OutputClosed(MnistError):
    """The reader of the results has gone (`mnist ... | head -1`): nobody is left to tell."""

    exit_code = ExitCode.BROKEN_PIPE
