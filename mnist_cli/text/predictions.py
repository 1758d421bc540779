"""Writes predictions: lines, tables, and what the model reads."""

from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from rich.style import Style
from rich.table import Table
from rich.text import Text

from mnist_cli.records import (
    AnyBatchRecord,
    DigitRecord,
    DigitsRecord,
    FileRecord,
    PredictionRecord,
)
from mnist_cli.terminal import one_line, printable
from mnist_cli.text.rendering import console_for, print_to

BAR_COLUMNS = 30
# The narrowest terminal that shows an image and the bars side by side.
SIDE_BY_SIDE_COLUMNS = 74
# The width of numbers in the table of a batch; longer ones are folded.
NUMBER_WIDTH = 10


def write_predictions(stdout: TextIO, records: Iterable[FileRecord]) -> None:
    """Write one line per picture with digit, probability and file, then its scores and image.

    For several digits, write such a line for the number, then one line per digit with its bounding
    box in place of the file. Records of errors are skipped: they are reported on stderr.
    """
    for record in records:
        if "error" in record:
            continue
        file = printable(record["file"])
        if "digits" not in record:
            _write_digit(stdout, record, file)
        elif not record["digits"]:
            print_to(stdout, Text.assemble(("no digits", "yellow"), f"  {file}"))
        else:
            _write_line(stdout, record["text"], record, file)
            for digit in record["digits"]:
                x, y, width, height = digit["box"]
                _write_digit(stdout, digit, f"{width}x{height} at {x}, {y}")


def _write_digit(stdout: TextIO, record: PredictionRecord | DigitRecord, label: str) -> None:
    _write_line(stdout, str(record["prediction"]), record, label)
    if "image" in record:
        _write_image(stdout, record["image"], record["scores"])
    elif "scores" in record:
        print_to(stdout, _bars(record["scores"]))


def _write_line(
    stdout: TextIO, text: str, record: PredictionRecord | DigitRecord | DigitsRecord, label: str
) -> None:
    line = Text.assemble((text, "bold green"), f"  {record['probability']:6.2f} %  ", label)
    if record.get("uncertain"):
        line.append("  uncertain", "yellow")
    print_to(stdout, line)


def table_writer(
    stdout: TextIO, *, multi: bool = False
) -> Callable[[Iterable[AnyBatchRecord]], None]:
    """Return a function that writes records as rows of one table; the first call adds a header."""
    show_header = True

    def write_rows(records: Iterable[AnyBatchRecord]) -> None:
        nonlocal show_header
        # The widths are fixed because later rows are not known yet.
        table = Table(box=None, header_style="bold", pad_edge=False, show_header=show_header)
        if multi:
            table.add_column("number", width=NUMBER_WIDTH, overflow="fold")
        else:
            table.add_column("digit", width=5)
        table.add_column("probability", width=11, justify="right")
        table.add_column("file", overflow="fold")
        for record in records:
            file = Text(printable(record["file"]))
            if record["error"] is not None:
                table.add_row(
                    Text("-", "red"), "", file.append(f"  {one_line(record['error'])}", "red")
                )
                continue
            if record["uncertain"]:
                file.append("  uncertain", "yellow")
            answer = str(record["prediction"]) if "prediction" in record else record["text"]
            probability = record["probability"]
            table.add_row(
                Text(answer, "bold green") if answer else Text("no digits", "yellow"),
                "" if probability is None else f"{probability:.2f} %",
                file,
            )
        show_header = False
        print_to(stdout, table)

    return write_rows


def _write_image(stdout: TextIO, image: list[list[int]], scores: Sequence[float]) -> None:
    """Write the image that the model reads, with its scores beside or below it."""
    console = console_for(stdout)
    in_colour = console.color_system is not None and not console.no_color
    drawing, bars = _half_blocks(image, in_colour), _bars(scores)
    if console.width < SIDE_BY_SIDE_COLUMNS:
        print_to(stdout, drawing)
        print_to(stdout, bars)
        return
    grid = Table.grid(padding=(0, 3))
    grid.add_row(drawing, bars)
    print_to(stdout, grid)


def _bars(scores: Sequence[float]) -> Text:
    """Draw the ten scores as bars and highlight the highest."""
    lines = []
    for digit, score in enumerate(scores):
        bar = "█" * round(BAR_COLUMNS * score)
        style = "bold green" if score == max(scores) else ""
        lines.append(Text(f"{digit} {bar:<{BAR_COLUMNS}} {100 * score:6.2f} %", style))
    return Text("\n").join(lines)


def _half_blocks(image: list[list[int]], in_colour: bool) -> Text:
    """Draw an image [28, 28] as 14 lines of half blocks; without colour, in black and white."""
    lines = []
    for upper, lower in zip(image[::2], image[1::2], strict=True):
        line = Text()
        for top, bottom in zip(upper, lower, strict=True):
            if in_colour:
                line.append("▀", Style(color=_gray(top), bgcolor=_gray(bottom)))
            else:
                line.append(" ▄▀█"[2 * (top < 128) + (bottom < 128)])
        lines.append(line)
    return Text("\n").join(lines)


def _gray(level: int) -> str:
    return f"rgb({level},{level},{level})"
