"""The figures of a mode as a table: a row for each family, a column for each model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.table import Table

Figures = Mapping[str, Any]
"""What `figures.summary` gives."""
Row = tuple[str, list[str]]


def table(mode: str, models: Mapping[str, Figures]) -> Table:
    """Make the table of the figures of each model.

    Accuracies, and how many are called uncertain, are in percent; what inverting changes is in
    percentage points.
    """
    rendered = Table(box=box.SIMPLE, padding=(0, 1, 0, 0), pad_edge=False)
    rendered.add_column(mode)
    for model in models:
        rendered.add_column(model, justify="right")
    for rows in _sections([*models.values()]):
        for name, cells in rows:
            rendered.add_row(name, *cells)
        rendered.add_section()
    return rendered


def _sections(columns: Sequence[Figures]) -> Iterator[list[Row]]:
    for group, families in columns[0]["accuracy"].items():
        read = [column["accuracy"][group] for column in columns]
        rows = [
            (f"{group}: {name}", [f"{100 * each[name]:.1f}" for each in read]) for name in families
        ]
        if len(families) > 1:
            means = [float(np.mean([*each.values()])) for each in read]
            rows.append((f"{group}: mean", [f"{100 * mean:.2f}" for mean in means]))
        yield rows
    yield [
        (f"{group}, inverted", [f"{100 * column['inverted'][group]:+.2f}" for column in columns])
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
