"""Fingerprints, statistics, calibration and compiled models of hand-made folders."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from mnist_cli.calibration import Calibration
from mnist_cli.errors import ModelError
from mnist_cli.inspection import summarize
from mnist_cli.saved_model import SavedModel
from mnist_cli.stored_model import COMPILED_FORMAT

COMPILED = b"a compiled model"


@pytest.fixture
def saved_model(tmp_path: Path) -> SavedModel:
    folder = tmp_path / "mine"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"graph")
    (folder / "variables" / "variables.index").write_bytes(b"index")
    (folder / "assets.extra").mkdir()
    return SavedModel("mine", folder)


def write_compiled(saved_model: SavedModel, folder: Path, **changes: Any) -> None:
    """Write a compiled model and its description with some fields changed."""
    description = {
        "format": COMPILED_FORMAT,
        "fingerprint": saved_model.fingerprint,
        "compiler": "tensorflow 2",
        "precision": "float32",
        "sha256": hashlib.sha256(COMPILED).hexdigest(),
        "tags": ["serve"],
        "tensorflow": "2",
        "signatures": {},
        "variables": [],
        "parameters": 0,
        "operations": {},
        "self_test": {"input": "0..1", "classes": list(range(10)), "correct": 99, "images": 100},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.tflite").write_bytes(COMPILED)
    (folder / "model.json").write_text(json.dumps(description | changes))


def test_the_fingerprint_depends_on_graph_variables_and_labels(saved_model: SavedModel) -> None:
    parts = [hashlib.sha256(part).digest() for part in (b"graph", b"index")]
    assert saved_model.fingerprint == hashlib.sha256(b"".join(parts)).hexdigest()
    fingerprints = {saved_model.fingerprint}
    for file in ("saved_model.pb", "variables/variables.index"):
        (saved_model.path / file).write_bytes(b"changed")
        fingerprints.add(SavedModel("mine", saved_model.path).fingerprint)
    (saved_model.path / "variables" / "variables.index").unlink()
    fingerprints.add(SavedModel("mine", saved_model.path).fingerprint)
    (saved_model.path / "assets").mkdir()
    for size in (0, 20, 10**6, 10**6 + 1):  # a large file is not one of labels
        (saved_model.path / "assets" / "labels.txt").write_bytes(bytes(size))
        fingerprints.add(SavedModel("mine", saved_model.path).fingerprint)
    assert len(fingerprints) == 6


def test_a_fingerprint_of_unreadable_files(saved_model: SavedModel) -> None:
    (saved_model.path / "saved_model.pb").unlink()
    (saved_model.path / "saved_model.pb").mkdir()
    with pytest.raises(ModelError, match=r"saved_model.pb: Is a directory"):
        _ = saved_model.fingerprint


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"accuracy": 0.99, "epochs": 40}', {"accuracy": 0.99, "epochs": 40}),
        ('{"accuracy": "high", "ece": NaN, "steps": Infinity, "epochs": 1}', {"epochs": 1}),
        ('{"steps": 1e999, "epochs": -1}', {"epochs": -1}),
        ('{"accuracy": true, "epochs": {"a": [1]}, "steps": 1' + "0" * 400 + "}", {}),
        ("[1, 2]", {}),
        ('{"a":' * 100_000, {}),
        ("[" * 100_000 + "]" * 100_000, {}),
        ("{", {}),
        ("", {}),
        (b"\xff".decode("latin-1"), {}),
        (None, {}),
    ],
)
def test_statistics(saved_model: SavedModel, content: str | None, expected: Any) -> None:
    if content is not None:
        (saved_model.path / "statistics.json").write_text(content, "latin-1")
    assert saved_model.statistics == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"temperature": 1.5, "least_digitness": 0.9}', Calibration(1.5, 0.9)),
        ('{"temperature": 2, "unknown": 3}', Calibration(2.0)),
        ('{"temperature": 0}', Calibration()),
        ('{"temperature": -1, "least_digitness": 0.5}', Calibration(1.0, 0.5)),
        ('{"temperature": 1000}', Calibration()),
        ('{"temperature": ' + "[" * 100_000, Calibration()),
        ('{"temperature": 1' + "0" * 5_000 + "}", Calibration()),
        ("not JSON", Calibration()),
        (None, Calibration()),
    ],
)
def test_calibration(saved_model: SavedModel, content: str | None, expected: Calibration) -> None:
    if content is not None:
        (saved_model.extras_folder / "calibration.json").write_text(content)
    assert saved_model.calibration == expected


def test_files_that_are_too_large_or_not_regular(saved_model: SavedModel) -> None:
    with (saved_model.extras_folder / "calibration.json").open("wb") as file:
        file.write(b'{"temperature": 1.5}')
        file.seek(2**40)
        file.truncate()
    os.mkfifo(saved_model.path / "statistics.json")
    assert saved_model.calibration == Calibration()
    assert saved_model.statistics == {}


def test_a_fresh_compiled_model(saved_model: SavedModel) -> None:
    write_compiled(saved_model, saved_model.extras_folder)
    [compiled] = saved_model.compiled()
    assert compiled.file.parent == saved_model.extras_folder
    assert compiled.read() == COMPILED
    summary = summarize(saved_model)
    assert summary["compiled"]["state"] == "fresh"
    assert summary["sizes"] == {"graph": 5, "variables": 5, "compiled": len(COMPILED)}


def test_the_cache_comes_after_the_folder_of_the_model(saved_model: SavedModel) -> None:
    write_compiled(saved_model, saved_model.cache_folder)
    assert [compiled.file.parent for compiled in saved_model.compiled()] == [
        saved_model.cache_folder
    ]
    write_compiled(saved_model, saved_model.extras_folder)
    folders = [compiled.file.parent for compiled in saved_model.compiled()]
    assert folders == [saved_model.extras_folder, saved_model.cache_folder]


@pytest.mark.parametrize(
    "changes", [{"fingerprint": "0" * 64}, {"format": COMPILED_FORMAT + 1}, {"format": None}]
)
def test_a_stale_compiled_model(saved_model: SavedModel, changes: dict[str, Any]) -> None:
    write_compiled(saved_model, saved_model.extras_folder, **changes)
    assert [*saved_model.compiled()] == []
    assert summarize(saved_model)["compiled"] == {"state": "stale"}


@pytest.mark.parametrize("content", ["", "{", "null", "[]", "{}", '{"format": 1}', "\0"])
def test_an_unreadable_description(saved_model: SavedModel, content: str) -> None:
    write_compiled(saved_model, saved_model.extras_folder)
    (saved_model.extras_folder / "model.json").write_text(content)
    assert [*saved_model.compiled()] == []


def test_an_incomplete_description(saved_model: SavedModel) -> None:
    write_compiled(saved_model, saved_model.extras_folder)
    file = saved_model.extras_folder / "model.json"
    description = json.loads(file.read_text())
    for name in description:
        file.write_text(json.dumps({key: description[key] for key in description if key != name}))
        assert [*saved_model.compiled()] == [], name


def test_a_damaged_compiled_model(saved_model: SavedModel) -> None:
    write_compiled(saved_model, saved_model.extras_folder)
    file = saved_model.extras_folder / "model.tflite"
    file.write_bytes(COMPILED + b"!")
    [compiled] = saved_model.compiled()
    with pytest.raises(ModelError, match="wrong checksum"):
        compiled.read()
    assert summarize(saved_model)["compiled"] == {"state": "damaged"}
    file.unlink()
    with pytest.raises(ModelError, match="No such file"):
        compiled.read()


def test_a_missing_compiled_model(saved_model: SavedModel) -> None:
    assert [*saved_model.compiled()] == []
    assert summarize(saved_model)["compiled"] == {"state": "missing"}


def test_without_a_home_folder_there_is_no_cache(
    saved_model: SavedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home(*_: object, **__: object) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_cache_path", no_home)
    write_compiled(saved_model, saved_model.extras_folder)
    assert len([*saved_model.compiled()]) == 1
    with pytest.raises(ModelError, match="XDG_CACHE_HOME"):
        _ = saved_model.cache_folder
