"""Figures of a small folder of labelled pictures."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("benchmarks", reason="comes with a checkout only")

from benchmarks import real
from tests.running import SAMPLES


def _answer(truth: dict[str, str], **record: Any) -> real.Answer:
    return real.Answer(truth, record)


ANSWERS = [
    _answer({"label": "3"}, prediction=3, probability=90.0, digitness=0.9),
    _answer({"label": "4"}, prediction=4, probability=80.0, digitness=0.4, uncertain=True),
    _answer({"label": "5"}, prediction=6, probability=70.0, digitness=0.8),
    _answer({"label": "0"}, error="no digit found"),
]


def test_single_figures() -> None:
    figures = real.single_figures(ANSWERS, np.array([0.5]))
    assert figures["accuracy %"] == 50
    # One bin for each: 0.1 + 0.2 + 0.7 + 0.
    assert figures["ECE"] == pytest.approx(1 / 4)
    assert figures["AUROC"] == 0.5
    assert figures["uncertain among right %"] == 50
    assert figures["accuracy of certain %"] == 50
    assert figures["refused"] == 1


def test_none_figures() -> None:
    assert real.none_figures(ANSWERS) == {
        "refused %": 25,
        "uncertain %": 25,
        "certain %": 50,
    }


def test_multi_figures() -> None:
    answers = [
        _answer({"text": "53"}, text="153", uncertain=True),
        _answer({"text": "12\n34"}, text="12\n34"),
        _answer({"text": "7890"}, error="damaged"),
    ]
    figures = real.multi_figures(answers)
    assert figures["exact %"] == pytest.approx(100 / 3)
    assert figures["digit error %"] == 50


def test_a_small_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("single", "none", "multi"):
        (tmp_path / folder).mkdir()
    labels = [
        {"file": "single/0.png", "label": "0", "kind": "clean"},
        {"file": "single/missing.png", "label": "1", "kind": "missing"},
        {"file": "none/blank.png", "label": "none", "kind": "blank"},
        {"file": "multi/0.png", "text": "0", "kind": "clean"},
    ]
    for file in ("single/0.png", "multi/0.png"):
        shutil.copy(SAMPLES / "MNIST-0.png", tmp_path / file)
    Image.new("L", (40, 40), 255).save(tmp_path / "none" / "blank.png")
    (tmp_path / "labels.jsonl").write_text("\n".join(map(json.dumps, labels)))
    monkeypatch.setattr(sys, "argv", ["real", "--data", str(tmp_path), "--wrong"])
    real.main()
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert any(line.startswith("single/missing.png: expected '1', read 'no such") for line in lines)
    assert "clean 1 100.0 0.000 1.000 0.0 100.0 0" in lines
    # Kinds without a right answer have no share of uncertain ones.
    assert "missing 1 0.0 0.000 0.500 - - 1" in lines
    assert "macro mean 2 50.0 0.000 0.750 0.0 100.0 1" in lines
    assert "blank 1 100.0 0.0 0.0" in lines
    assert "macro mean 1 100.0 0.0" in lines
