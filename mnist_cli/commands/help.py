"""Fits help texts to the width of the terminal."""

import shutil
from collections.abc import Sequence
from typing import Any

import typer

# Narrower than this, the help is hardly readable; wider lines are hard to follow.
MIN_COLUMNS, MAX_COLUMNS = 40, 120
# The largest fraction of a line for the names of options; longer ones get a line of their own.
NAME_FRACTION = 0.375

DOCUMENTATION = "Documentation: README.md and the folder docs in the source of mnist."


def help_columns() -> int:
    """Return the width of help texts, in characters."""
    return min(max(shutil.get_terminal_size().columns, MIN_COLUMNS), MAX_COLUMNS)


class _Formatter(typer.Context.formatter_class):  # type: ignore[misc, valid-type]
    """Gives the descriptions of options most of each line."""

    def write_dl(self, rows: Sequence[tuple[str, str]], *_: Any, **__: Any) -> None:
        super().write_dl(rows, col_max=int(NAME_FRACTION * self.width))


class HelpContext(typer.Context):
    """The context of a command, whose help fits the terminal."""

    formatter_class = _Formatter
