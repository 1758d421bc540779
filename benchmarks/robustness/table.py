"""Table of the figures: one row per family, one column per model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

Figures = Mapping[str, Any]
"""The result of `figures.summarize`."""
Row = tuple[str, list[str]]


def build_table(mode: str, models: Mapping[str, Figures], markdown: bool = False) -> Table:
    """Return a table of the figures of each model in one mode.

    Accuracy, uncertain answers and the figures of numbers are in percent, the change by inverting
    in percentage points.
    """
    if markdown:
        rendered = Table(box=box.MARKDOWN)
    else:
        rendered = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    rendered.add_column(mode)
    for model in models:
        rendered.add_column(model, justify="right")
    for rows in _sections([*models.values()]):
        for name, cells in rows:
            rendered.add_row(name, *cells)
        if not markdown:  # it has no lines between rows
            rendered.add_section()
    return rendered


def _sections(columns: Sequence[Figures]) -> Iterator[list[Row]]:
    for group, families in columns[0]["accuracy"].items():
        accuracies = [column["accuracy"][group] for column in columns]
        rows = [
            (f"{group}: {name}", [f"{100 * each[name]:.1f}" for each in accuracies])
            for name in families
        ]
        if len(families) > 1:
            means = [float(np.mean([*each.values()])) for each in accuracies]
            rows.append((f"{group}: mean", [f"{100 * mean:.2f}" for mean in means]))
        yield rows
    yield [
        (
            f"{group}, change by inverting",
            [f"{100 * column['inverted'][group]:+.2f}" for column in columns],
        )
        for group in columns[0]["inverted"]
    ]
    yield [
        (f"AUROC: {name}", [f"{column['auroc'][name]:.4f}" for column in columns])
        for name in columns[0]["auroc"]
    ]
    yield [
        (f"uncertain: {name}", [f"{100 * column['uncertain'][name]:.1f}" for column in columns])
        for name in columns[0]["uncertain"]
    ]
    yield [("ECE", [f"{column['ece']:.4f}" for column in columns])]
    if columns[0]["numbers"]:  # they are not read in the mode `plain`
        numbers = [column["numbers"] for column in columns]
        yield _number_rows("exact match", "exact", numbers)
        yield _number_rows("digit error rate", "digit_error", numbers)


def _number_rows(title: str, figure: str, columns: Sequence[Mapping[str, Figures]]) -> list[Row]:
    values = [[100 * family[figure] for family in column.values()] for column in columns]
    rows = [
        (f"number, {title}: {name}", [f"{value:.1f}" for value in row])
        for name, row in zip(columns[0], zip(*values, strict=True), strict=True)
    ]
    return [*rows, (f"number, {title}: mean", [f"{np.mean(column):.2f}" for column in values])]
