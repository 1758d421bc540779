"""Writes descriptions of models, and evaluations."""

from typing import TextIO

from rich.table import Table
from rich.text import Text

from mnist_cli import signature
from mnist_cli.conventions import self_test_text
from mnist_cli.records import EvaluationRecord, ModelCard, ModelSummary
from mnist_cli.terminal import one_line, printable
from mnist_cli.text.rendering import UNLIMITED_COLUMNS, console_for, print_pairs, print_to

MAX_NAMES = 10  # pictures without a digit that are listed


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
    console = console_for(stdout)
    unlimited = console.options.update_width(UNLIMITED_COLUMNS)
    if console.measure(table, options=unlimited).maximum <= console.width:
        print_to(stdout, table)
        return
    for name, cells in rows.items():
        print_to(stdout, Text(name, "bold green"))
        print_pairs(stdout, dict(zip(headings, cells, strict=True)))


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
        **({"saved by": f"TensorFlow {model['tensorflow']}"} if model["tensorflow"] else {}),
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
    print_to(stdout, Text(one_line(model["model"]), "bold green"))
    print_pairs(stdout, facts)
    for name, tensors in model["signatures"].items():
        print_to(stdout, Text(f"\nsignature {one_line(name)}", "bold"))
        for direction in ("inputs", "outputs"):
            rows = {
                key: f"{info['dtype']} {signature.shape_text(info['shape'])}  {info['name']}"
                for key, info in tensors[direction].items()
            }
            print_pairs(stdout, rows, f"{direction[:-1]} ")
    print_to(stdout, Text(f"\n{len(model['variables'])} variables", "bold"))
    variables = {
        variable["name"]: f"{variable['dtype']} {list(variable['shape'])}"
        for variable in model["variables"]
    }
    print_pairs(stdout, variables)
    print_to(stdout, Text("\noperations", "bold"))
    counts = ", ".join(f"{name} x{count}" for name, count in model["operations"].items())
    print_to(stdout, Text(one_line(counts)))


def write_evaluation(stdout: TextIO, record: EvaluationRecord) -> None:
    """Write the metrics, the confusion matrix and the most confident mistakes of a model."""
    print_to(stdout, Text(one_line(record["model"]), "bold green"))
    facts = {
        "data": printable(record["data"]),
        "pictures": f"{record['images']:,}",
        "accuracy": f"{record['accuracy']:.2%}",
        "calibration error (ECE)": f"{record['ece']:.2%}",
    }
    print_pairs(stdout, facts)
    print_to(
        stdout,
        Text("\nconfusion matrix: a row for each digit, a column for each prediction", "bold"),
    )
    print_to(stdout, _confusion(record["confusion"], record["recall"]))
    if record["mistakes"]:
        print_to(stdout, Text("\nmost confident mistakes", "bold"))
    for mistake in record["mistakes"]:
        line = (
            f"  {mistake['digit']} as {mistake['prediction']}  {mistake['probability']:6.2f} %  "
            f"{printable(mistake['file'])}"
        )
        print_to(stdout, Text(line))
    if names := record["no_digit"]:
        count = f"{len(names):,} pictures" if len(names) > 1 else "1 picture"
        print_to(stdout, Text(f"\nno digit found in {count}", "bold"))
        shown = [f"  {printable(name)}" for name in names[:MAX_NAMES]]
        more = ["  ..."] if len(names) > MAX_NAMES else []
        print_to(stdout, Text("\n".join(shown + more)))


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


def _size(count: int) -> str:
    return f"{count / 1e6:.2f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
