"""Renders records as text with Rich."""

import io
from collections.abc import Callable, Iterable, Sequence
from typing import TextIO

from rich.console import Console, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from mnist_cli import signature
from mnist_cli.conventions import self_test_text
from mnist_cli.records import (
    AnyBatchRecord,
    DigitRecord,
    DigitsRecord,
    EvaluationRecord,
    FileRecord,
    ModelCard,
    ModelSummary,
    PredictionRecord,
)
from mnist_cli.terminal import one_line, printable, write

BAR_COLUMNS = 30
# The narrowest terminal that tables fit, and that shows an image and the bars side by side.
MIN_COLUMNS, SIDE_BY_SIDE_COLUMNS = 40, 74
# The largest fraction of a line for the names in front of values; longer ones are folded.
NAME_FRACTION = 0.6
# The width of numbers in the table of a batch; longer ones are folded.
NUMBER_WIDTH = 10
# Wider than any line, so that Rich does not fold lines in a pipe.
UNLIMITED_COLUMNS = 10_000


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
            _print(stdout, Text.assemble(("no digits", "yellow"), f"  {file}"))
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
        _print(stdout, _bars(record["scores"]))


def _write_line(
    stdout: TextIO, text: str, record: PredictionRecord | DigitRecord | DigitsRecord, label: str
) -> None:
    line = Text.assemble((text, "bold green"), f"  {record['probability']:6.2f} %  ", label)
    if record.get("uncertain"):
        line.append("  uncertain", "yellow")
    _print(stdout, line)


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
        _print(stdout, table)

    return write_rows


def _write_image(stdout: TextIO, image: list[list[int]], scores: Sequence[float]) -> None:
    """Write the image that the model reads, with its scores beside or below it."""
    console = _console(stdout)
    in_colour = console.color_system is not None and not console.no_color
    drawing, bars = _half_blocks(image, in_colour), _bars(scores)
    if console.width < SIDE_BY_SIDE_COLUMNS:
        _print(stdout, drawing)
        _print(stdout, bars)
        return
    grid = Table.grid(padding=(0, 3))
    grid.add_row(drawing, bars)
    _print(stdout, grid)


def write_models(stdout: TextIO, models: list[ModelSummary]) -> None:
    """Write a table with one row per model, or a list on a terminal that is too narrow for it."""
    headings = ("accuracy", "parameters", "size", "compiled", "runtime")
    rows = {one_line(model["model"]): _model_cells(model) for model in models}
    table = Table(box=None, header_style="bold", pad_edge=False)
    table.add_column("model")
    for heading in headings:
        table.add_column(heading, justify="left" if heading in headings[3:] else "right")
    for name, cells in rows.items():
        table.add_row(Text(name), *cells)
    console = _console(stdout)
    unlimited = console.options.update_width(UNLIMITED_COLUMNS)
    if console.measure(table, options=unlimited).maximum <= console.width:
        _print(stdout, table)
        return
    for name, cells in rows.items():
        _print(stdout, Text(name, "bold green"))
        _print_pairs(stdout, dict(zip(headings, cells, strict=True)))


def _model_cells(model: ModelSummary) -> tuple[str, ...]:
    """Return accuracy, parameters, size, state of the compiled model, and runtime."""
    statistics = model["statistics"]
    return (
        f"{statistics['accuracy']:.2%}" if "accuracy" in statistics else "-",
        f"{statistics['parameters']:,}" if "parameters" in statistics else "-",
        _size(sum(model["sizes"].values())),
        model["compiled"]["state"],
        model["runtime"] or "none",
    )


def write_model(stdout: TextIO, model: ModelCard) -> None:
    """Write a model card: statistics, state, signatures, variables and operations."""
    compiled = model["compiled"]
    facts = {
        "path": model["path"],
        "saved by": f"TensorFlow {model['tensorflow']}",
        "tags": ", ".join(model["tags"]),
        "parameters": f"{model['parameters']:,}",
        **{
            name: f"{value:.2%}" if isinstance(value, float) else f"{value:,}"
            for name, value in model["statistics"].items()
            if name != "parameters" and isinstance(value, int | float)
        },
        "fingerprint": model["fingerprint"],
        "compiled": f"{compiled['state']}, {compiled['precision']} weights, {compiled['file']}"
        if "file" in compiled
        else compiled["state"],
        "runtime": model["runtime"] or f"none: {model['problem']}",
        **({"self-test": self_test_text(model["self_test"])} if model["self_test"] else {}),
        **{f"size of {part}": _size(size) for part, size in model["sizes"].items()},
    }
    _print(stdout, Text(one_line(model["model"]), "bold green"))
    _print_pairs(stdout, facts)
    for name, tensors in model["signatures"].items():
        _print(stdout, Text(f"\nsignature {one_line(name)}", "bold"))
        for direction in ("inputs", "outputs"):
            rows = {
                key: f"{info['dtype']} {signature.shape_text(info['shape'])}  {info['name']}"
                for key, info in tensors[direction].items()
            }
            _print_pairs(stdout, rows, f"{direction[:-1]} ")
    _print(stdout, Text(f"\n{len(model['variables'])} variables", "bold"))
    variables = {
        variable["name"]: f"{variable['dtype']} {list(variable['shape'])}"
        for variable in model["variables"]
    }
    _print_pairs(stdout, variables)
    _print(stdout, Text("\noperations", "bold"))
    counts = ", ".join(f"{name} x{count}" for name, count in model["operations"].items())
    _print(stdout, Text(one_line(counts)))


def write_evaluation(stdout: TextIO, record: EvaluationRecord) -> None:
    """Write the metrics, the confusion matrix and the most confident mistakes of a model."""
    _print(stdout, Text(one_line(record["model"]), "bold green"))
    facts = {
        "data": printable(record["data"]),
        "pictures": f"{record['images']:,}",
        "accuracy": f"{record['accuracy']:.2%}",
        "calibration error (ECE)": f"{record['ece']:.2%}",
    }
    _print_pairs(stdout, facts)
    _print(
        stdout,
        Text("\nconfusion matrix: a row for each digit, a column for each prediction", "bold"),
    )
    _print(stdout, _confusion(record["confusion"], record["recall"]))
    if record["mistakes"]:
        _print(stdout, Text("\nmost confident mistakes", "bold"))
    for mistake in record["mistakes"]:
        line = (
            f"  {mistake['digit']} as {mistake['prediction']}  {mistake['probability']:6.2f} %  "
            f"{printable(mistake['file'])}"
        )
        _print(stdout, Text(line))


def _confusion(counts: list[list[int]], recall: list[float | None]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1))
    table.add_column("  ")
    for digit in range(10):
        table.add_column(str(digit), justify="right")
    table.add_column("recall", justify="right")
    for digit, row in enumerate(counts):
        cells = [
            Text(str(count or "."), "green" if prediction == digit else "red" if count else "dim")
            for prediction, count in enumerate(row)
        ]
        fraction = recall[digit]
        percent = "-" if fraction is None else f"{fraction:.2%}"
        table.add_row(Text(f"  {digit}", "bold"), *cells, percent)
    return table


def _console(stdout: TextIO) -> Console:
    """Return a console that renders only: `write` handles closed pipes and full disks."""
    console = Console(file=io.StringIO(), force_terminal=stdout.isatty() or None, highlight=False)
    # Nothing is cut off on a narrow terminal, and nothing is folded in a pipe.
    console.width = max(console.width, MIN_COLUMNS) if stdout.isatty() else UNLIMITED_COLUMNS
    return console


def _print(stdout: TextIO, renderable: RenderableType) -> None:
    console = _console(stdout)
    with console.capture() as capture:
        console.print(renderable, soft_wrap=isinstance(renderable, Text))
    write(stdout, capture.get())


def _print_pairs(stdout: TextIO, pairs: dict[str, str], prefix: str = "") -> None:
    names = [one_line(f"  {prefix}{name}") for name in pairs]
    longest = int(NAME_FRACTION * _console(stdout).width)
    table = Table.grid(padding=(0, 2))
    table.add_column(
        style="cyan", overflow="fold", width=min(max(map(len, names), default=0), longest)
    )
    table.add_column(overflow="fold")
    for name, value in zip(names, pairs.values(), strict=True):
        table.add_row(Text(name), Text(one_line(value)))
    _print(stdout, table)


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"


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
