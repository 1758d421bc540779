"""Words the usage errors of Typer as those of `mnist`: `--option: reason`."""

import difflib
from typing import Any

from typer.exceptions import TyperException

from mnist_cli.errors import UsageError


def usage_error(error: TyperException) -> UsageError:
    """Return an error of Typer as one of `mnist`."""
    fields = vars(error)  # the types of its errors are private
    param: Any = fields.get("param")
    if "possibilities" in fields:  # of an unknown option, the most similar one first
        tip = _did_you_mean(fields["possibilities"])
        return UsageError(f"no such option: {fields['option_name']}", tip)
    if param is None:
        reason = error.message.rstrip(".")
        return UsageError(reason[:1].lower() + reason[1:])
    is_argument = param.param_type_name == "argument"
    name = param.human_readable_name if is_argument else max(param.opts, key=len)
    if "param_type" in fields:  # of a missing option or argument
        return UsageError(f"missing {param.param_type_name} {name}", f"{name}: {param.help}")
    return UsageError(f"{name}: {_range_error(param.type) or error.message.rstrip('.')}")


def unknown_command(name: str, commands: tuple[str, ...]) -> UsageError:
    """Return the error for a command that does not exist."""
    tip = _did_you_mean(difflib.get_close_matches(name, commands, n=1))
    return UsageError(f"no such command: {name}", tip or f"the commands are {', '.join(commands)}")


def _did_you_mean(matches: list[str] | None) -> str | None:
    return f"did you mean {matches[0]}?" if matches else None


def _range_error(kind: Any) -> str | None:
    """Return the message for a value outside the range of a whole number; None for other types."""
    if not hasattr(kind, "min"):
        return None
    if kind.max is None:
        return f"must be a whole number, {kind.min} or more"
    return f"must be a whole number between {kind.min} and {kind.max}"
