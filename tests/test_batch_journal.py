"""The journal of a batch: nothing is lost, wherever a write was cut off."""

import json
import os
from pathlib import Path
from typing import cast

import pytest

from mnist_cli.batch.encoding import encode
from mnist_cli.batch.journal import SIGNATURE, SIGNATURE_BYTES, Journal, JournalSettings
from mnist_cli.batch.listing import InputFile
from mnist_cli.batch.results import BatchResult, skipped, to_record
from mnist_cli.errors import InputError, OutputError
from mnist_cli.output import json_lines

SETTINGS: JournalSettings = {
    "sources": ["scans"],
    "glob": ["*.png"],
    "recursive": True,
    "model": "k_cnn",
    "model_version": "0123 Calibration(temperature=1.0, least_digitness=0.5)",
    "version": "0.1.0",
    "input": None,
    "preprocess": "auto",
    "scores": False,
    "multi": False,
    "annotate": None,
}
RECORDS: list[BatchResult] = [
    *(
        to_record(
            InputFile(f"scans/{digit} \n\udcff.png"),
            {"prediction": digit, "probability": 99.5, "model": "k_cnn", "box": [1, 2, 30, 40]},
            scores=False,
        )
        for digit in range(3)
    ),
    skipped(InputFile("scans/Thumbs.db")),
    to_record(InputFile("scans/ü.png"), {"error": "the file is empty"}, scores=False),
]
LINES = encode(RECORDS).lines


def _partial(target: Path) -> Path:
    return target.with_name(f".{target.name}.partial")


def _write(target: Path) -> bytes:
    with Journal(target, SETTINGS, resume=False) as journal:
        journal.add(LINES[:1])
        journal.add(LINES[1:])
    return _partial(target).read_bytes()


def test_it_is_a_line_for_the_settings_and_one_for_each_record(tmp_path: Path) -> None:
    lines = _write(tmp_path / "digits.csv").splitlines()
    assert [json.loads(line) for line in lines] == [SIGNATURE | SETTINGS, *RECORDS]


@pytest.mark.slow
@pytest.mark.parametrize("garbage", [[b""], [b"\0" * 9, b"\xff\n\xff", b'{"file": "s\n']])
def test_cut_off_at_any_byte_it_continues(garbage: list[bytes], tmp_path: Path) -> None:
    target = tmp_path / "digits.jsonl"
    whole = _write(target)
    for size in range(len(whole) + 1):
        start = whole[:size]
        if size >= len(SIGNATURE_BYTES):  # before, it could be any file
            start += garbage[size % len(garbage)]
        _partial(target).write_bytes(start)
        complete = whole[:size].count(b"\n") - 1
        with Journal(target, SETTINGS, resume=True) as journal:
            recorded = list(journal.results())
            assert recorded == RECORDS[: max(complete, 0)], size
            journal.add(LINES[len(recorded) :])
            assert list(journal.lines()) == LINES
        assert _partial(target).read_bytes() == whole


def test_without_resume_or_with_other_settings_it_stays_as_it_is(tmp_path: Path) -> None:
    target = tmp_path / "digits.jsonl"
    whole = _write(target)
    with pytest.raises(InputError, match=f"^{_partial(target)} has the records of an interrupted"):
        Journal(target, SETTINGS, resume=False)
    for name in SETTINGS:
        what = "another version of the model" if name == "model_version" else name
        with pytest.raises(InputError, match=f"was written with {what} "):
            Journal(target, cast(JournalSettings, SETTINGS | {name: "other"}), resume=True)
    assert _partial(target).read_bytes() == whole


def test_without_records_nothing_is_left(tmp_path: Path) -> None:
    target = tmp_path / "digits.jsonl"
    for resume in (False, True):
        with Journal(target, SETTINGS, resume) as journal:
            assert list(journal.results()) == []
            assert _partial(target).read_text() == json_lines([SIGNATURE | SETTINGS])
        assert list(tmp_path.iterdir()) == []
    _write(target)
    with Journal(target, SETTINGS, resume=True) as journal:
        journal.remove()
    assert list(tmp_path.iterdir()) == []


def test_records_can_be_left_unread(tmp_path: Path) -> None:
    _write(tmp_path / "digits.jsonl")
    with Journal(tmp_path / "digits.jsonl", SETTINGS, resume=True) as journal:
        records = journal.results()
        assert next(records) == RECORDS[0]
    del records  # a warning would fail the test


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"^cannot write .*\.a\.partial: No such file"):
        Journal(tmp_path / "none" / "a", SETTINGS, resume=False)


@pytest.mark.parametrize(
    "content", ["note\n", '{"sources": ["scans"]}\n', '{"journal": "mine"}', "{{"]
)
@pytest.mark.parametrize("resume", [False, True])
def test_other_files_are_never_overwritten(content: str, resume: bool, tmp_path: Path) -> None:
    target = tmp_path / "digits.jsonl"
    _partial(target).write_text(content)
    with pytest.raises(OutputError, match=r"\.partial is not a journal of mnist; move it, or"):
        Journal(target, SETTINGS, resume)
    assert _partial(target).read_text() == content


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    target, other = tmp_path / "digits.jsonl", tmp_path / "other"
    for content in (None, ""):
        if content is not None:
            other.write_text(content)
        _partial(target).symlink_to(other)
        with pytest.raises(OutputError, match=r"^cannot write .*\.partial: Too many levels of sym"):
            Journal(target, SETTINGS, resume=False)
        assert other.exists() == (content is not None)
        _partial(target).unlink()
    os.mkfifo(_partial(target))
    with pytest.raises(OutputError, match=r"^cannot lock or read .*\.partial: Illegal seek"):
        Journal(target, SETTINGS, resume=False)
