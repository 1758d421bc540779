"""Writers of JSON, CSV and text, against the standard library and hand-written lines."""

import csv
import io
import json
from collections.abc import Sequence

import pytest

from mnist_cli.option_types import Format
from mnist_cli.output import json_lines, record_writer, to_json, wants_text
from mnist_cli.records import (
    BATCH_FIELDS,
    COLUMNS,
    BatchRecord,
    FileDigits,
    FileError,
    FilePrediction,
    FileRecord,
)
from mnist_cli.text.predictions import table_writer
from tests.running import Stream

SCORES = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.875, 0.0, 0.125)
PREDICTION: FilePrediction = {
    "prediction": 7,
    "probability": 87.5,
    "digitness": 0.8363,
    "model": "k_cnn",
    "box": [1, 2, 30, 40],
    "file": "7.png",
}
UNCERTAIN: FilePrediction = {**PREDICTION, "uncertain": True, "file": "a,\n\"b'.png"}
ERROR: FileError = {"file": "none.png", "error": "no such file: check the path"}
DIGITS: FileDigits = {
    "text": "47",
    "probability": 59.7,
    "digits": [
        {"prediction": 4, "probability": 99.5, "digitness": 0.9, "box": [1, 2, 3, 4]},
        {"prediction": 7, "probability": 60.0, "digitness": 0.4, "box": [5, 2, 3, 4]},
    ],
    "model": "k_cnn",
    "file": "47.png",
}


def written(
    records: Sequence[FileRecord], format: Format | None, *, scores: bool = False, tty: bool = False
) -> str:
    stdout = Stream(tty)
    record_writer(stdout, format, scores=scores)(records)
    return stdout.getvalue()


def test_json_is_one_object_per_line() -> None:
    records: list[FileRecord] = [PREDICTION, UNCERTAIN, ERROR, DIGITS]
    text = written(records, "json")
    assert text == written(records, None) == json_lines(records)
    assert list(map(json.loads, text.splitlines())) == records
    assert text.splitlines()[2] == '{"file": "none.png", "error": "no such file: check the path"}'


@pytest.mark.parametrize("name", ["七.png", "\udcff.png", "a\nb.png", "\x1b[31m.png"])
def test_json_is_ascii_and_preserves_names(name: str) -> None:
    text = to_json({"file": name})
    assert text.isascii() and text.isprintable()
    assert json.loads(text) == {"file": name}


def test_csv_has_all_columns() -> None:
    text = written([PREDICTION, UNCERTAIN, ERROR], "csv")
    first, second, third = csv.DictReader(io.StringIO(text))
    assert text.splitlines()[0] == ",".join(COLUMNS)
    assert first == {
        "file": "7.png",
        "prediction": "7",
        "probability": "87.5",
        "model": "k_cnn",
        "uncertain": "",
        "error": "",
        "digitness": "0.8363",
    }
    assert second == first | {"file": UNCERTAIN["file"], "uncertain": "True"}
    assert third == dict.fromkeys(COLUMNS, "") | dict(ERROR)


def test_csv_with_scores() -> None:
    with_scores: FilePrediction = {**PREDICTION, "scores": SCORES}
    rows = list(csv.DictReader(io.StringIO(written([with_scores, ERROR], "csv", scores=True))))
    names = [f"score_{digit}" for digit in range(10)]
    assert list(rows[0]) == [*COLUMNS, *names]
    assert [float(rows[0][name]) for name in names] == list(SCORES)
    assert [rows[1][name] for name in names] == [""] * 10


def test_csv_has_one_header_for_all_batches() -> None:
    stdout = Stream(False)
    write = record_writer(stdout, "csv")
    assert stdout.getvalue() == ",".join(COLUMNS) + "\n"
    write([PREDICTION])
    write([ERROR])
    assert len(stdout.getvalue().splitlines()) == 3


def test_text_of_predictions() -> None:
    text = written([PREDICTION, UNCERTAIN, ERROR, DIGITS], "text")
    assert text.splitlines() == [
        "7   87.50 %  7.png",
        "7   87.50 %  'a,\\n\"b\\'.png'  uncertain",
        "47   59.70 %  47.png",
        "4   99.50 %  3x4 at 1, 2",
        "7   60.00 %  3x4 at 5, 2",
    ]


def test_text_of_a_picture_without_digits() -> None:
    record: FileDigits = {"text": "", "digits": [], "model": "k_cnn", "file": "wall.png"}
    assert written([record], "text") == "no digits  wall.png\n"


def test_text_of_scores() -> None:
    _, *bars = written([{**PREDICTION, "scores": SCORES}], "text").splitlines()
    assert bars[7] == "7 " + 26 * "█" + 4 * " " + "  87.50 %"
    assert bars[8] == "8 " + 30 * " " + "   0.00 %"
    assert bars[9].startswith("9 ████ ")


def test_text_of_an_image() -> None:
    image = [[255] * 28 for _ in range(28)]
    image[0][0] = image[1][1] = image[2][2] = image[3][2] = 0
    image[26][3] = 127
    image[27][4] = 128
    record: FilePrediction = {**PREDICTION, "scores": SCORES, "image": image}
    _, *lines = written([record], "text").splitlines()
    assert len(lines) == 14
    assert lines[0][:28].rstrip() == "▀▄"
    assert lines[1][:28].rstrip() == "  █"
    assert lines[13][:28].rstrip() == "   ▀"


def _of_batch(record: FileRecord) -> BatchRecord:
    return dict.fromkeys(BATCH_FIELDS) | record  # type: ignore[return-value]


def test_table() -> None:
    stdout = Stream(False)
    write = table_writer(stdout)
    write([_of_batch(PREDICTION), _of_batch(ERROR)])
    write([_of_batch(UNCERTAIN)])
    lines = [line.split() for line in stdout.getvalue().splitlines()]
    assert lines == [
        ["digit", "probability", "file"],
        ["7", "87.50", "%", "7.png"],
        ["-", "none.png", "no", "such", "file:", "check", "the", "path"],
        ["7", "87.50", "%", "'a,\\n\"b\\'.png'", "uncertain"],
    ]


@pytest.mark.parametrize(
    ("format", "tty", "expected"),
    [
        (None, True, True),
        (None, False, False),
        ("text", False, True),
        ("json", True, False),
        ("csv", True, False),
    ],
)
def test_wants_text(format: Format | None, tty: bool, expected: bool) -> None:
    assert wants_text(Stream(tty), format) == expected
