"""`mnist inspect-model`: model cards with and without TensorFlow."""

import re
import shutil
from pathlib import Path

import pytest

from mnist_cli.loader import SHIPPED_MODELS, find_models
from tests import models
from tests.models import Weights
from tests.running import SAMPLES, WITHOUT_TENSORFLOW, run, run_process

NAMES = [model.name for model in find_models()]


def test_without_a_name_all_models_are_listed() -> None:
    assert NAMES == ["e_cnn", "e_ffnn", "k_cnn", "k_ffnn", "t_cnn", "t_ffnn"]
    result = run("inspect-model")
    assert (result.code, result.stderr) == (0, "")
    assert [record["model"] for record in result.records] == NAMES
    for record in result.records:
        assert record["statistics"]["accuracy"] > 0.98
        assert record["compiled"]["state"] == "fresh"
        assert record["runtime"] == "litert"
    text = run("inspect-model", "--format", "text").stdout.splitlines()
    assert text[0].split()[:2] == ["model", "accuracy"]
    assert [line.split()[0] for line in text[1:]] == NAMES


@pytest.mark.parametrize("name", ["t_ffnn", "t_cnn"])
def test_the_shipped_models(name: str) -> None:
    card = run_process("inspect-model", name, program=WITHOUT_TENSORFLOW).record
    assert card["model"] == name
    assert card["tags"] == ["serve"]
    signature = card["signatures"]["serving_default"]
    assert signature["inputs"] == {
        "input": {"name": "input:0", "dtype": "float32", "shape": [None, 784]},
        "dropout": {"name": "dropoutRate:0", "dtype": "float32", "shape": []},
    }
    assert signature["outputs"] == {
        "output": {"name": "output:0", "dtype": "float32", "shape": [None, 10]}
    }
    assert card["parameters"] == card["statistics"]["parameters"] > 100_000
    of_one_run = {"accuracy", "steps", "batch_size", "ece", "parameters"}
    of_all_runs = {"runs", "mean_accuracy", "sd_accuracy"}
    assert set(card["statistics"]) == of_one_run | of_all_runs
    assert card["operations"]["MatMul"] >= 1
    assert ("Conv2D" in card["operations"]) == (name == "t_cnn")
    assert len(card["fingerprint"]) == 64
    assert card["compiled"]["precision"] == "int8"
    assert card["sizes"]["compiled"] < card["sizes"]["variables"] / 3
    assert card["sizes"]["variables"] > 4 * card["parameters"]


def test_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = run("inspect-model", "t_cnn", terminal=True).stdout
    for part in (
        "signature serving_default",
        "float32 [N,784]  input:0",
        "float32 [N,10]  output:0",
        "fresh, int8 weights, ",
        "MatMul x",
    ):
        assert part in lines
    statistics = run("inspect-model", "t_cnn").record["statistics"]
    for name in ("accuracy", "ece"):
        assert re.search(rf"{name} .*{statistics[name]:.2%}", lines)


@pytest.mark.tensorflow
def test_tensorflow_and_the_compiled_model_give_the_same_card(tmp_path: Path) -> None:
    [shipped] = [model for model in find_models() if model.name == "t_ffnn"]
    folder = Path(shutil.copytree(shipped.path, tmp_path / "t_ffnn"))
    shutil.rmtree(folder / "assets.extra")
    compiled, raw = run("inspect-model", "t_ffnn").record, run("inspect-model", folder).record
    assert raw["compiled"]["state"] == "fresh"  # now in the cache
    assert raw["runtime"] == "litert"
    same = (
        "self_test",
        "tags",
        "signatures",
        "variables",
        "parameters",
        "operations",
        "fingerprint",
    )
    assert {key: raw[key] for key in same} == {key: compiled[key] for key in same}


def test_the_state_of_the_compiled_model(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "models" / "mine", weights)

    def state() -> tuple[str, str | None]:
        record = run("inspect-model", "--model-dir", folder.parent).record
        return record["compiled"]["state"], record["runtime"]

    assert state() == ("missing", "tensorflow")
    run("predict", "--model", folder, SAMPLES / "MNIST-0.png")
    assert state() == ("fresh", "litert")
    [cached] = (tmp_path / "cache").rglob("model.tflite")
    shutil.copytree(cached.parent, folder / "assets.extra")
    cached.write_bytes(b"hello")
    assert state() == ("fresh", "litert")
    (folder / "assets.extra" / "model.tflite").write_bytes(b"hello")
    assert state() == ("damaged", "tensorflow")
    (folder / "saved_model.pb").write_bytes(b"changed")
    assert state() == ("stale", "tensorflow")


@pytest.mark.tensorflow
def test_an_unsupported_model_has_a_card(tmp_path: Path) -> None:
    folder = models.five_inputs(tmp_path / "other")
    result = run("inspect-model", folder)
    assert result.code == 0
    assert result.record["runtime"] is None
    assert "unsupported signature" in result.record["problem"]
    assert result.record["signatures"]["serving_default"]["inputs"]["x"]["shape"] == [None, 5]
    assert "none: unsupported signature" in run("inspect-model", folder, terminal=True).stdout


def test_a_broken_model_does_not_hide_others(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "saved_model.pb").write_bytes(b"hello")
    (tmp_path / "odd" / "variables").write_bytes(b"hello")
    (folder / "statistics.json").write_text('{"accuracy": "high", "ece": NaN, "steps": 7}')
    result = run("inspect-model", "--model-dir", tmp_path)
    assert result.code == 4
    assert result.record["model"] == "mine"
    assert result.record["statistics"] == {"steps": 7}
    assert "model odd: " in result.error


@pytest.mark.parametrize("file", ["statistics.json", "assets.extra/calibration.json"])
def test_a_damaged_file_beside_the_model(file: str, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(SHIPPED_MODELS / "k_ffnn", folder)
    (folder / file).write_text('{"accuracy": ' + "[" * 100_000)
    for arguments in (
        ("inspect-model", folder),
        ("inspect-model", "--model-dir", tmp_path, "--format", "text"),
        ("predict", "--model", folder, SAMPLES / "MNIST-0.png"),
        ("predict-batch", "--quiet", "--model", folder, SAMPLES / "MNIST-0.png"),
    ):
        result = run(*arguments)
        assert (result.code, result.stderr) == (0, "")


def test_a_folder_without_models(tmp_path: Path) -> None:
    result = run("inspect-model", "--model-dir", tmp_path / "none")
    assert result.code == 4
    assert "no models in" in result.error


def test_an_unknown_model() -> None:
    result = run("inspect-model", "t_cn")
    assert result.code == 4
    assert result.tip == "did you mean t_cnn?"


def test_a_damaged_model(tmp_path: Path, weights: Weights) -> None:
    folder = models.tensorflow_1(tmp_path / "mine", weights)
    (folder / "saved_model.pb").write_bytes(b"hello")
    result = run("inspect-model", folder)
    assert result.code == 4
    assert "saved_model.pb is damaged" in result.error
