"""`python -m training.committee`: training and evaluation of the teachers."""

import dataclasses
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("training", reason="comes with a checkout only")
pytest.importorskip("cv2", reason="needs training/requirements.txt")

from mnist_cli.loader import load_model
from tests.test_evaluate import write_idx
from training import augmented_dataset, cache_key, data
from training.augmented_dataset import AugmentedDataset, open_augmented_dataset
from training.data import as_input
from training.recipes.committee import BASELINES, TEACHERS
from training.recipes.dataset import DATASET
from training.recipes.models import Recipe
from training.runs import read_log
from training.synthetic import generate

pytestmark = [
    pytest.mark.tensorflow,
    # Keras saves its variables with a call that NumPy 2 deprecates.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
]

RECIPE = Recipe(epochs=2, batch_size=32, keep_prob=1.0, ema_decay=0.9)
HELD_OUT, UNSEEN = 200, 100  # images

Committee = Callable[[str], str]
"""Runs a step and returns its output."""


@pytest.fixture
def mnist(tmp_path: Path, digits: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> Path:
    """MNIST with 600 training images and without a test set."""
    order = np.random.default_rng(0).permutation(len(labels))[:600]
    return write_idx(tmp_path / "mnist", "train", digits[order], labels[order])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of two teachers and a baseline, with a small data set without synthetic digits."""
    from training.committee import evaluate, fit

    small = dataclasses.replace(DATASET, augmented_copies=2, synthetic_images=40, synthetic_sets=1)
    for module in (augmented_dataset, cache_key):
        monkeypatch.setattr(module, "DATASET", small)
    blank = data.Digits(np.zeros((40, 28, 28), np.uint8), np.full(40, data.NO_DIGIT))
    monkeypatch.setattr(generate, "make_images", lambda digits, count, seed: blank)
    monkeypatch.setattr(augmented_dataset, "CACHE_DIR", tmp_path / "augmented_dataset")
    monkeypatch.setattr(data, "COMPARISON_IMAGES", HELD_OUT)
    for other in (data, evaluate):
        monkeypatch.setattr(other, "VALIDATION_IMAGES", UNSEEN)
    folder = tmp_path / "committee"
    teachers = {name: dataclasses.replace(RECIPE, seed=n) for n, name in enumerate(("m7", "vgg"))}
    for module in (fit, evaluate):
        monkeypatch.setattr(module, "TEACHERS", teachers)
        monkeypatch.setattr(module, "BASELINES", {"k_cnn_0": RECIPE})
    monkeypatch.setattr(fit, "FOLDER", folder)
    return folder


@pytest.fixture
def committee(
    mnist: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Committee:
    def run(step: str) -> str:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["committee", step, "--data", str(mnist)])
        runpy.run_module("training.committee", run_name="__main__")
        return capsys.readouterr().out

    return run


def _save_untrained(home: Path, *names: str) -> None:
    from training.committee import fit

    for name in names:
        (home / name).mkdir(parents=True)
        fit.build_network(name, "float32", 1.0).save_weights(home / name / fit.WEIGHTS)


def test_interrupted_training_resumes(
    home: Path, mnist: Path, committee: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.committee import fit

    all_batches = AugmentedDataset.batches

    def batches(self: AugmentedDataset, epoch: int, recipe: Recipe) -> Iterator[Any]:
        for index, batch in enumerate(all_batches(self, epoch, recipe)):
            if (recipe.seed, epoch, index) == (1, 1, 5):
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as interruption:
        interruption.setattr(AugmentedDataset, "batches", batches)
        with pytest.raises(SystemExit, match="run the same command again"):
            committee("train")
    assert [row["epoch"] for row in read_log(home / "vgg" / "log.csv")] == ["1"]
    finished = (home / "m7" / fit.WEIGHTS).read_bytes()
    with pytest.raises(SystemExit, match="vgg is not trained yet"):
        committee("evaluate")

    assert re.findall("training (.*)", committee("train")) == ["vgg", "k_cnn_0"]
    assert (home / "m7" / fit.WEIGHTS).read_bytes() == finished
    for name in ("m7", "vgg", "k_cnn_0"):
        log = read_log(home / name / "log.csv")
        assert [row["epoch"] for row in log] == ["1", "2"]
        assert float(log[1]["loss"]) < float(log[0]["loss"])
    assert committee("train") == ""
    _check_averaged_weights(home)

    # Without dropout, an interruption does not change the weights.
    resumed = fit.load_trained("vgg").get_weights()
    monkeypatch.setattr(fit, "FOLDER", home / "uninterrupted")
    monkeypatch.setattr(fit, "TEACHERS", {"vgg": dataclasses.replace(RECIPE, seed=1)})
    monkeypatch.setattr(fit, "BASELINES", {})
    committee("train")
    for a, b in zip(resumed, fit.load_trained("vgg").get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def _check_averaged_weights(home: Path) -> None:
    """The teachers have averaged weights, the baseline those after the last step."""
    import keras

    from training.committee import fit

    for name, averaged in (("m7", True), ("vgg", True), ("k_cnn_0", False)):
        last = keras.models.load_model(home / name / "checkpoint.keras").trainable_variables
        kept = fit.load_trained(name).trainable_variables
        assert len(last) == len(kept)
        for a, b in zip(last, kept, strict=True):
            assert np.array_equal(a.numpy(), b.numpy()) != averaged
            assert b.dtype == "float32" and np.isfinite(b.numpy()).all()


def test_held_out_images_are_not_learned(home: Path, mnist: Path) -> None:
    training, held_out = data.load_comparison(mnist)
    everything = data.Digits(*data._load("train", mnist))
    assert np.array_equal(training.images, everything.images[:-HELD_OUT])
    assert np.array_equal(held_out.images, everything.images[-HELD_OUT:])
    assert np.array_equal(held_out.labels, everything.labels[-HELD_OUT:])


def test_teachers_and_models_learn_different_copies(home: Path, mnist: Path) -> None:
    training, _ = data.load_training(mnist)
    models = open_augmented_dataset(training)
    teachers = open_augmented_dataset(training, "committee-", 2020)
    assert models.images.shape == teachers.images.shape
    same = (models.images[:, :500] == teachers.images[:, :500]).all(axis=(2, 3))
    assert not same.any()
    assert np.array_equal(open_augmented_dataset(training).images, models.images)


def test_other_recipe_or_data_discards_nothing(
    home: Path, committee: Committee, monkeypatch: pytest.MonkeyPatch
) -> None:
    from training.committee import fit

    monkeypatch.setattr(fit, "TEACHERS", {"m7": dataclasses.replace(RECIPE, epochs=1)})
    monkeypatch.setattr(fit, "BASELINES", {})
    committee("train")
    before = {file: file.read_bytes() for file in home.rglob("*") if file.is_file()}
    with monkeypatch.context() as other:
        other.setattr(cache_key, "source_digest", lambda *modules: "other code")
        other.setattr(fit, "open_augmented_dataset", None)
        with pytest.raises(SystemExit, match="m7: trained with another recipe, other data"):
            committee("train")
    monkeypatch.setattr(fit, "TEACHERS", {"m7": RECIPE})
    with pytest.raises(SystemExit, match="m7: trained with another recipe, other data"):
        committee("train")
    assert {file: file.read_bytes() for file in home.rglob("*") if file.is_file()} == before


@pytest.mark.parametrize(("ratio", "verdict"), [(0.0, "does not hold"), (100.0, "holds")])
def test_evaluation_counts_held_out_errors(
    ratio: float,
    verdict: str,
    home: Path,
    mnist: Path,
    committee: Committee,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from training.committee import evaluate, fit

    _save_untrained(home, "m7", "vgg", "k_cnn_0")
    monkeypatch.setattr(evaluate, "MAX_ERROR_RATIO", ratio)
    output = committee("evaluate")
    rows = {
        name: tuple(counts.split())
        for name, counts in re.findall(r"^(\S.*?)  +(\S+ +\d+)$", output, re.MULTILINE)
    }
    _, held_out = data.load_comparison(mnist)
    batch = as_input(held_out.images)
    networks = {name: fit.load_trained(name) for name in ("m7", "vgg", "k_cnn_0")}
    scores = {name: model.predict(batch, verbose=0) for name, model in networks.items()}
    expected = {
        "teacher m7": scores["m7"],
        "teacher vgg": scores["vgg"],
        "committee": scores["m7"] * scores["vgg"],
        "baseline k_cnn_0": scores["k_cnn_0"],
        "mean of the baselines": scores["k_cnn_0"],
    }
    wrong = {name: p.argmax(axis=1) != held_out.labels for name, p in expected.items()}
    for name, errors in wrong.items():
        assert rows[name] == (str(errors.sum()), str(errors[-UNSEEN:].sum())), name
    shipped = {}
    for name in ("t_cnn", "e_cnn", "k_cnn"):
        shipped[name] = load_model(name).predict_proba(batch[-UNSEEN:])
        errors = shipped[name].argmax(axis=1) != held_out.labels[-UNSEEN:]
        assert rows[f"shipped {name}"] == ("-", str(errors.sum()))
    assert rows["mean of the shipped CNNs"][0] == "-"
    one, other = wrong["committee"], wrong["mean of the baselines"]
    alone = ((one & ~other).sum(), (other & ~one).sum())
    assert tuple(map(int, re.findall(r"misreads (\d+),.*baselines (\d+) of", output)[0])) == alone
    assert output.rstrip().endswith(f"it {verdict}")


def test_networks_return_probabilities() -> None:
    from training.committee import fit
    from training.committee.networks import NETWORKS

    assert NETWORKS.keys() == TEACHERS.keys() and len(NETWORKS) == 5
    assert len({recipe.seed for recipe in TEACHERS.values()}) == 5
    assert len(BASELINES) == 3
    images = np.random.default_rng(0).random((4, 784), np.float32)
    for name in NETWORKS:
        scores = fit.build_network(name, "mixed_bfloat16", 0.8)(images).numpy()
        assert scores.shape == (4, 10) and scores.dtype == np.float32
        np.testing.assert_allclose(scores.sum(axis=1), 1, rtol=1e-5)
