"""Defines the `mnist` command and maps errors to exit codes."""

import errno
import importlib
import logging
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeAlias, cast

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException

from mnist_cli import __version__
from mnist_cli.commands.help import DOCUMENTATION, HelpContext, help_columns
from mnist_cli.commands.usage_errors import unknown_command, usage_error
from mnist_cli.errors import ExitCode, InternalError, MnistError, OutputClosed, OutputError
from mnist_cli.terminal import Terminal

FlagCallback: TypeAlias = Callable[[typer.Context, typer.CallbackParam, bool], None]

COMMANDS = ("predict", "predict-batch", "serve", "inspect-model", "evaluate")

logger = logging.getLogger("mnist_cli")


class Command(TyperCommand):
    """A command with the options that all commands share."""

    context_class = HelpContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        quiet, verbose = _set_log_level(logging.ERROR), _set_log_level(logging.INFO)
        self.params += [
            _flag("--quiet", "-q", callback=quiet, help="Hide warnings."),
            _flag("--verbose", "-v", callback=verbose, help="Show progress messages."),
            _flag("--debug", callback=_set_debug, help="Show the traceback of an error."),
        ]

    def get_short_help_str(self, limit: int = 0) -> str:
        """Return the first sentence of the help; Typer would cut it off at the limit."""
        return super().get_short_help_str(sys.maxsize)


def _flag(*names: str, callback: FlagCallback, help: str) -> TyperOption:
    return TyperOption(
        param_decls=list(names), is_flag=True, expose_value=False, callback=callback, help=help
    )


def _set_log_level(level: int) -> FlagCallback:
    def callback(_context: typer.Context, _param: typer.CallbackParam, value: bool) -> None:
        if value:
            logger.setLevel(level)

    return callback


def _set_debug(context: typer.Context, _param: typer.CallbackParam, value: bool) -> None:
    if value:
        context.obj.debug = True


def _print_version(value: bool) -> None:
    if value:
        typer.echo(f"mnist {__version__}")
        raise typer.Exit


class _Commands(Mapping[str, Command]):
    """The commands by name; each is imported and built when it is looked up."""

    def __getitem__(self, name: str) -> Command:
        if name not in COMMANDS:
            raise KeyError(name)
        module = name.replace("-", "_")
        function = getattr(importlib.import_module(f"mnist_cli.commands.{module}"), module)
        single = typer.Typer(add_completion=False, rich_markup_mode=None)
        single.command(name, cls=Command, epilog=DOCUMENTATION)(function)
        return cast(Command, typer.main.get_command(single))

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class _Group(TyperGroup):
    """The group of all commands, of which only the one that runs is built."""

    context_class = HelpContext

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.commands = _Commands()  # type: ignore[assignment]  # Typer only reads it

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args[0] not in self.commands and not ctx.resilient_parsing:
            raise unknown_command(args[0], COMMANDS)
        return super().resolve_command(ctx, args)


# Typer renders help with Rich by default, which doubles the run time of `mnist --help`.
app = typer.Typer(
    cls=_Group,
    help="Read handwritten and printed digits in pictures.",
    epilog=f"Run mnist COMMAND --help for options and examples.\n\n{DOCUMENTATION}",
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _mnist(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Show the version."
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str], terminal: Terminal) -> int:
    """Run `mnist` and return its exit code; never raises an error."""
    _configure_logging(terminal)
    if arguments[:1] == ["help"]:
        arguments = [*arguments[1:], "--help"]
    try:
        code = app(
            args=arguments,
            prog_name="mnist",
            standalone_mode=False,
            obj=terminal,
            terminal_width=help_columns(),
        )
        return code or ExitCode.SUCCESS
    except OutputClosed as error:
        return error.exit_code
    except SystemExit as exit:
        if isinstance(exit.__context__, OSError):  # the pipe was closed while Typer prints help
            return ExitCode.BROKEN_PIPE
        return cast(int, exit.code)  # of the completion for a shell
    except Exception as error:
        if terminal.debug:
            terminal.report_traceback(error)
        expected = _expected_error(error)
        terminal.report("error", expected.problem)
        if expected.tip:
            terminal.report("tip", expected.tip)
        return expected.exit_code


def _expected_error(error: Exception) -> MnistError:
    if isinstance(error, MnistError):
        return error
    if isinstance(error, TyperException):
        return usage_error(error)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return OutputError(f"cannot write the results: {error.strerror}")
    reason = "".join(traceback.format_exception_only(error)).splitlines()[0]
    return InternalError(f"internal error: {reason}", "please report it with the output of --debug")


def _configure_logging(terminal: Terminal) -> None:
    logger.handlers = [_Handler(terminal)]
    logger.setLevel(logging.WARNING)
    logger.propagate = False


class _Handler(logging.Handler):
    """Reports log messages on a terminal, with `--debug` also the tracebacks of their errors."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__()
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        self._terminal.report(record.levelname.lower(), record.getMessage())
        if self._terminal.debug and record.exc_info and record.exc_info[1]:
            self._terminal.report_traceback(record.exc_info[1])
