"""The blocks of commands in the README and in docs/, and what they must print."""

import doctest
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.running import ROOT, run_on_terminal
from tests.serving import Server

README = ROOT / "README.md"
LANGUAGES = {"console", "sh", "python"}
"""The languages of blocks that are run."""

BLOCK = re.compile(
    r"^(?:<!-- not run: (?P<reason>.+?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?P<output>(?:(?!\$ ).*\n)*)", re.MULTILINE)
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
TERMINAL = {"COLUMNS": "100", "TERM": "dumb", "NO_COLOR": "1"}
# The address of the server in the pages.
ADDRESS = "localhost:8000"


@dataclass(frozen=True)
class Block:
    """A block of code in a page."""

    place: str
    language: str
    text: str
    is_run: bool


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page; the comment `<!-- not run: REASON -->` exempts one."""
    content = page.read_text()
    return [
        Block(
            f"{page.name}:{content.count(chr(10), 0, found.start('language')) + 1}",
            found["language"],
            found["text"],
            found["reason"] is None and found["language"] in LANGUAGES,
        )
        for found in BLOCK.finditer(content)
    ]


def with_server(text: str, server: Server) -> str:
    """Replace the address of the server in commands."""
    return text.replace(ADDRESS, f"localhost:{server.port}")


def check_outputs(place: str, text: str, env: dict[str, str] | None = None) -> None:
    """Run the commands of a `console` block on a terminal, and compare what they print.

    `...` stands for any text. Colours, empty lines and spaces at the ends of lines are ignored.
    """
    commands = list(COMMAND.finditer(text))
    assert text == "".join(command[0] for command in commands), place
    for command in commands:
        printed = run_on_terminal(
            "-c", command["command"], program=["bash"], env={**TERMINAL, **(env or {})}
        )
        found, expected = (_essential(output) for output in (printed, command["output"]))
        if not doctest.OutputChecker().check_output(expected, found, doctest.ELLIPSIS):
            pytest.fail(f"{place}: $ {command['command']}\n{expected}--- printed:\n{found}")


def _essential(output: str) -> str:
    lines = (line.rstrip() for line in COLOURS.sub("", output).splitlines())
    return "".join(f"{line}\n" for line in lines if line)
