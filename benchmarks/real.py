"""Figures of a folder of labelled real pictures.

    python -m benchmarks.real --data DIR

`DIR/labels.jsonl` has one JSON object per line: `file`, the path in `DIR`, which begins with
`single/`, `none/` or `multi/`; `label`, the digit of a picture in `single/`; `text`, the digits of
a picture in `multi/`, in lines; and `kind`, such as `meter`.
"""

import argparse
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from benchmarks.scoring import auroc, calibration_error, digit_error_rate
from mnist_cli.api import load_model
from mnist_cli.errors import MnistError
from mnist_cli.option_types import DEFAULT_MODEL
from mnist_cli.predictor import Predictor

Figures = dict[str, float]

COUNTS = ("n", "refused")
"""Figures that are added up over the kinds; of the others the mean is shown."""


class Answer(NamedTuple):
    """A labelled picture, and the record that `mnist` returns for it."""

    truth: Mapping[str, str]
    record: Mapping[str, Any]

    @property
    def is_refused(self) -> bool:
        return "prediction" not in self.record

    @property
    def is_uncertain(self) -> bool:
        return not self.is_refused and "uncertain" in self.record

    @property
    def is_certain(self) -> bool:
        return not self.is_refused and "uncertain" not in self.record

    @property
    def is_right(self) -> bool:
        if "text" in self.truth:
            return self.text == self.truth["text"]
        return str(self.record.get("prediction")) == self.truth["label"]

    @property
    def text(self) -> str:
        """The digits that were read, in lines; empty if the picture could not be read."""
        return str(self.record.get("text", ""))


def main() -> None:
    """Read all pictures and print a table for each folder."""
    arguments = _arguments()
    predictor = Predictor(load_model(arguments.model))
    labels = (arguments.data / "labels.jsonl").read_text(encoding="utf-8")
    truths = [json.loads(line) for line in labels.splitlines()]

    def read(truth: Mapping[str, str]) -> Answer:
        file = str(arguments.data / truth["file"])
        is_multi = _folder(truth) == "multi"
        return Answer(truth, predictor.predict_file(file, io.BytesIO(), multi=is_multi))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        reading = threads.map(read, truths)
        stderr = Console(stderr=True)
        answers = [*track(reading, "reading pictures", len(truths), console=stderr, transient=True)]
    single, none, multi = (
        [answer for answer in answers if _folder(answer.truth) == folder]
        for folder in ("single", "none", "multi")
    )
    if arguments.wrong:
        _print_wrong([*single, *multi])
    others = _digitness(none)
    markdown = arguments.markdown
    _print_table("single", single, lambda of_kind: single_figures(of_kind, others), markdown)
    if single and none:
        print(f"AUROC of digitness, all kinds: {auroc(_digitness(single), others):.3f}")
    _print_table("none", none, none_figures, markdown)
    _print_table("multi", multi, multi_figures, markdown)


def single_figures(answers: Sequence[Answer], others: np.ndarray[Any, Any]) -> Figures:
    """Return the figures of pictures of one digit; `others` is the digitness of `none`."""
    right = np.array([answer.is_right for answer in answers])
    probability = [answer.record.get("probability", 0) / 100 for answer in answers]
    certain = np.array([answer.is_certain for answer in answers])
    return {
        "accuracy %": 100 * _mean(right),
        "ECE": calibration_error(np.array(probability), right),
        "AUROC": auroc(_digitness(answers), others) if len(others) else float("nan"),
        "uncertain among right %": 100 * _mean(~certain[right]),
        "accuracy of certain %": 100 * _mean(right[certain]),
        "refused": sum(answer.is_refused for answer in answers),
    }


def none_figures(answers: Sequence[Answer]) -> Figures:
    """Return the figures of pictures that do not show exactly one digit."""
    return {
        "refused %": 100 * _mean([answer.is_refused for answer in answers]),
        "uncertain %": 100 * _mean([answer.is_uncertain for answer in answers]),
        "certain %": 100 * _mean([answer.is_certain for answer in answers]),
    }


def multi_figures(answers: Sequence[Answer]) -> Figures:
    """Return the figures of pictures of several digits."""
    texts = [(answer.truth["text"], answer.text) for answer in answers]
    return {
        "exact %": 100 * _mean([answer.is_right for answer in answers]),
        "digit error %": 100 * digit_error_rate(texts),
    }


def _folder(truth: Mapping[str, str]) -> str:
    return truth["file"].split("/")[0]


def _digitness(answers: Sequence[Answer]) -> np.ndarray[Any, Any]:
    return np.array([answer.record.get("digitness", 0.0) for answer in answers])


def _mean(values: Any) -> float:
    """Return the mean; NaN without values."""
    return float(np.mean(values)) if len(values) else float("nan")


def _print_table(
    title: str,
    answers: Sequence[Answer],
    figures: Callable[[Sequence[Answer]], Figures],
    markdown: bool,
) -> None:
    """Print the figures of each kind and their mean over the kinds; counts are added up."""
    kinds = sorted({answer.truth["kind"] for answer in answers})
    if not kinds:
        return
    groups = [[answer for answer in answers if answer.truth["kind"] == kind] for kind in kinds]
    rows = [{"n": len(group), **figures(group)} for group in groups]
    macro = {
        name: sum(row[name] for row in rows)
        if name in COUNTS
        else _mean([row[name] for row in rows if not np.isnan(row[name])])
        for name in rows[0]
    }
    table = Table(title, box=box.MARKDOWN if markdown else box.SIMPLE)
    for name in macro:
        table.add_column(name, justify="right")
    for kind, row in zip([*kinds, "macro mean"], [*rows, macro], strict=True):
        table.add_row(kind, *(_cell(name, value) for name, value in row.items()))
    Console(width=120).print(table)


def _cell(name: str, value: float) -> str:
    if np.isnan(value):
        return "-"
    decimals = 0 if name in COUNTS else 1 if name.endswith("%") else 3
    return f"{value:.{decimals}f}"


def _print_wrong(answers: Sequence[Answer]) -> None:
    for answer in answers:
        if not answer.is_right:
            truth, record = answer.truth, answer.record
            expected = truth.get("text", truth.get("label"))
            read = record.get("error", record.get("text", record.get("prediction")))
            uncertain = " (uncertain)" if "uncertain" in record else ""
            print(f"{truth['file']}: expected {expected!r}, read {read!r}{uncertain}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real",
        description="Measure accuracy on a folder of labelled real pictures, by kind.",
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with the pictures and labels.jsonl"
    )
    parser.add_argument(
        "--model", default=DEFAULT_MODEL, help=f"name or path (default: {DEFAULT_MODEL})"
    )
    parser.add_argument("--markdown", action="store_true", help="print the tables as Markdown")
    parser.add_argument("--wrong", action="store_true", help="list the misread pictures, too")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        main()
    except (MnistError, OSError) as error:
        raise SystemExit(f"error: {error}") from error
