"""Renders text and tables for a stream: as wide as its terminal, or as long as needed in a pipe."""

import io
from typing import TextIO

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from mnist_cli.terminal import one_line, write

# The narrowest terminal that tables fit.
MIN_COLUMNS = 40
# Wider than any line, so that Rich does not fold lines in a pipe.
UNLIMITED_COLUMNS = 10_000
# The largest fraction of a line for the names in front of values; longer ones are folded.
NAME_FRACTION = 0.6


def console_for(stdout: TextIO) -> Console:
    """Return a console that renders only: `write` handles closed pipes and full disks."""
    console = Console(file=io.StringIO(), force_terminal=stdout.isatty() or None, highlight=False)
    # Nothing is cut off on a narrow terminal, and nothing is folded in a pipe.
    console.width = max(console.width, MIN_COLUMNS) if stdout.isatty() else UNLIMITED_COLUMNS
    return console


def print_to(stdout: TextIO, renderable: RenderableType) -> None:
    console = console_for(stdout)
    with console.capture() as capture:
        console.print(renderable, soft_wrap=isinstance(renderable, Text))
    write(stdout, capture.get())


def print_pairs(stdout: TextIO, pairs: dict[str, str], prefix: str = "") -> None:
    names = [one_line(f"  {prefix}{name}") for name in pairs]
    longest = int(NAME_FRACTION * console_for(stdout).width)
    table = Table.grid(padding=(0, 2))
    table.add_column(
        style="cyan", overflow="fold", width=min(max(map(len, names), default=0), longest)
    )
    table.add_column(overflow="fold")
    for name, value in zip(names, pairs.values(), strict=True):
        table.add_row(Text(name), Text(one_line(value)))
    print_to(stdout, table)
