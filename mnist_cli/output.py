"""Writes results: JSON lines and CSV for programs, text for people."""

import contextlib
import csv
import io
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TextIO

from mnist_cli.errors import OutputClosed, OutputError
from mnist_cli.option_types import BatchFormat, Format

if TYPE_CHECKING:
    from mnist_cli.prediction import Prediction
    from mnist_cli.several import Digit

Record = dict[str, Any]


def prediction_record(
    prediction: "Prediction", *, model: str, scores: bool, min_probability: float
) -> Record:
    """A prediction as it is written everywhere; fields are only ever added.

    `uncertain` appears, and is true, where there may be no digit, and where the probability is
    below `min_probability` percent.
    """
    record: Record = {
        "prediction": prediction.digit,
        "probability": prediction.probability,
        "digitness": prediction.digitness,
        "model": model,
    }
    if scores:
        record["scores"] = prediction.scores
    if prediction.uncertain or prediction.probability < min_probability:
        record["uncertain"] = True
    return record


def digits_record(
    lines: list[list["Digit"]], *, model: str, scores: bool, min_probability: float
) -> Record:
    """All digits of a picture: their text, a line for each line, and what is said of each.

    Each has the fields of `prediction_record`, but for the model, and its `box`: the left and the
    upper edge, width and height in pixels of the upright picture.
    """
    digits = []
    for digit in itertools.chain(*lines):
        record = prediction_record(
            digit.prediction, model=model, scores=scores, min_probability=min_probability
        )
        del record["model"]
        digits.append(record | {"box": list(digit.box)})
    text = "\n".join("".join(str(digit.prediction.digit) for digit in line) for line in lines)
    return {"text": text, "digits": digits, "model": model}


def record_writer(
    stdout: TextIO, format: Format | None, *, scores: bool = False
) -> Callable[[Sequence[Record]], None]:
    """A function that writes records; without a format: text to a terminal, else JSON lines.

    `scores` gives the CSV its columns `score_0` to `score_9`.
    """
    if wants_text(stdout, format):
        from mnist_cli.text import write_predictions

        return lambda records: write_predictions(stdout, records)
    if format == "csv":
        return _csv_writer(stdout, scores)
    return lambda records: write(stdout, json_lines(records))


def wants_text(stdout: TextIO, format: Format | BatchFormat | None) -> bool:
    """Whether results are for people: asked for, or else because `stdout` is a terminal."""
    return format == "text" or (format is None and stdout.isatty())


def json_lines(records: Iterable[Record]) -> str:
    """A line for each record, in ASCII, so that no encoding of a terminal or pipe can harm it."""
    return "".join(to_json(record) + "\n" for record in records)


def to_json(record: Record) -> str:
    """A record as JSON, for the command line and HTTP alike."""
    return json.dumps(record)


def write(stdout: TextIO, text: str) -> None:
    """Write at once, so that a reader gets each result when it is there.

    Raises:
        OutputClosed: the reader has gone.
        OutputError: the text cannot be written.
    """
    try:
        stdout.write(text)
        stdout.flush()
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputError(f"the results cannot be written: {error.strerror}") from error


@contextlib.contextmanager
def progress(stderr: TextIO, title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere; it goes when the block ends.

    Yields a function that moves the bar on by so many of `total`.
    """
    if not stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=stderr), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda count: bar.advance(task, count)


def printable(name: str) -> str:
    """A file name as it fits into one line: control and undecodable characters are escaped."""
    return name if name.isprintable() else ascii(name)


def _csv_writer(stdout: TextIO, scores: bool) -> Callable[[Sequence[Record]], None]:
    columns = ["file", "prediction", "probability", "model", "uncertain", "error", "digitness"]
    if scores:
        columns += [f"score_{digit}" for digit in range(10)]
    line = io.StringIO()
    rows = csv.DictWriter(line, columns, lineterminator="\n")

    def flush() -> None:
        write(stdout, line.getvalue())
        line.seek(0)
        line.truncate()

    def write_records(records: Iterable[Record]) -> None:
        for record in records:
            flat = {key: value for key, value in record.items() if key != "scores"}
            scored = enumerate(record.get("scores", ()))
            rows.writerow(flat | {f"score_{digit}": score for digit, score in scored})
        flush()

    rows.writeheader()
    flush()
    return write_records
