"""`training/`: what can be tried in seconds. Whole trainings are measured in its README."""

import dataclasses
import errno
import gzip
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("training", reason="comes with a checkout only")
pytest.importorskip("cv2", reason="needs training/requirements.txt")
pytest.importorskip("matplotlib", reason="needs training/requirements.txt")

from mnist_cli.errors import InputError, ModelError
from mnist_cli.evaluation import as_input
from mnist_cli.loader import find_model, load_model
from tests.running import SAMPLES, run
from tests.test_evaluate import write_idx
from training import data, pool, publish, recipes, train
from training.augment import distort
from training.recipes import Recipe
from training.runs import read_log

Digits = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

RECIPE = Recipe(epochs=3, batch_size=32, learning_rate=5e-3)


@pytest.fixture
def mnist(tmp_path: Path, digits: Digits, labels: Labels) -> Path:
    """MNIST with 1,000 training images, 500 of them for validation, and 250 test images."""
    order = np.random.default_rng(0).permutation(len(labels))
    digits, labels = digits[order], labels[order]
    folder = write_idx(tmp_path / "mnist", "train", digits[:1000], labels[:1000])
    return write_idx(folder, "t10k", digits[1000:1250], labels[1000:1250])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything that a training writes goes here, and what it does is small."""
    small = dataclasses.replace(recipes.POOL, copies=2)
    for module in (pool, train):
        monkeypatch.setattr(module, "POOL", small)
    monkeypatch.setattr(data, "VALIDATION_IMAGES", 500)
    monkeypatch.setattr(pool, "FOLDER", tmp_path / "runs" / "pool")
    monkeypatch.setattr(train, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(publish, "RUNS", tmp_path / "runs")
    for module in (train, publish):
        monkeypatch.setattr(module, "SAVED_MODELS", tmp_path / "saved_models")
    monkeypatch.setattr(publish, "CURVES", tmp_path / "docs")
    for name in ("t_ffnn", "k_ffnn"):
        monkeypatch.setitem(recipes.RECIPES, name, RECIPE)
    return tmp_path


class Interrupted(Exception):
    """What happens to a training in these tests."""


def _interrupt(monkeypatch: pytest.MonkeyPatch, in_epoch: int) -> None:
    whole = pool.Pool.epoch

    def epoch(self: pool.Pool, epoch: int, recipe: Recipe) -> Iterator[Any]:
        for index, batch in enumerate(whole(self, epoch, recipe)):
            if (epoch, index) == (in_epoch, 5):
                raise Interrupted
            yield batch

    monkeypatch.setattr(pool.Pool, "epoch", epoch)


# Keras saves its variables in a way that NumPy 2 frowns upon.
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
@pytest.mark.parametrize("name", ["t_ffnn", "k_ffnn"])
def test_an_interrupted_training_goes_on(
    name: str, mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interruption:
        _interrupt(interruption, in_epoch=2)
        # What Keras makes of an error in a generator is an error of TensorFlow.
        with pytest.raises(Exception, match="Interrupted" if name == "k_ffnn" else "^$"):
            train.train(name, mnist)
    before = read_log(home / "runs" / name / "log.csv")
    assert [row["epoch"] for row in before] == ["1", "2"]

    train.train(name, mnist)
    log = read_log(home / "runs" / name / "log.csv")
    assert [row["epoch"] for row in log] == ["1", "2", "3"]
    assert log[:2] == before
    assert float(log[2]["loss"]) < float(log[0]["loss"])

    publish.publish(name, mnist)
    folder = home / "saved_models" / name
    statistics = json.loads((folder / "statistics.json").read_text())
    trained = {"epochs": 3} if name == "k_ffnn" else {"steps": 45, "batch_size": 32}
    assert list(statistics) == ["accuracy", "ece", *trained, "parameters"]
    assert statistics.items() >= trained.items()
    assert statistics["parameters"] > 1_000_000
    assert 0.3 < statistics["accuracy"] <= 1
    record = run("evaluate", folder, "--data", mnist).record
    assert (record["accuracy"], record["ece"]) == (statistics["accuracy"], statistics["ece"])
    assert (home / "docs" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_another_recipe_begins_anew(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (1, 2):
        recipe = dataclasses.replace(RECIPE, epochs=1, seed=seed)
        monkeypatch.setitem(recipes.RECIPES, "t_ffnn", recipe)
        train.train("t_ffnn", mnist)
        assert len(read_log(home / "runs" / "t_ffnn" / "log.csv")) == 1
        assert f"seed={seed}" in (home / "runs" / "t_ffnn" / "recipe.txt").read_text()


def test_a_failing_publication_leaves_the_old_model(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recipes.RECIPES, "t_ffnn", dataclasses.replace(RECIPE, epochs=1))
    train.train("t_ffnn", mnist)
    publish.publish("t_ffnn", mnist)
    model = home / "saved_models" / "t_ffnn"
    before = {file: file.read_bytes() for file in model.rglob("*") if file.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    train.train("t_ffnn", mnist)
    for place in ("compile_model", "figures", "draw_curves", "replace"):
        with monkeypatch.context() as disk:
            disk.setattr(publish, place, full)
            with pytest.raises(OSError, match="No space left"):
                publish.publish("t_ffnn", mnist)
        assert {file: file.read_bytes() for file in model.rglob("*") if file.is_file()} == before
    assert [folder.name for folder in model.parent.iterdir()] == ["t_ffnn"]
    publish.publish("t_ffnn", mnist)  # nothing was lost: there is room again
    assert load_model(str(model)).runtime.name == "litert"


def test_nothing_to_publish(mnist: Path, home: Path) -> None:
    with pytest.raises(ModelError, match="train t_ffnn first"):
        publish.publish("t_ffnn", mnist)


def test_estimators_need_their_environment(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(recipes.RECIPES, "e_ffnn", RECIPE)
    monkeypatch.setattr(train, "ESTIMATOR_PYTHON", str(home / "none" / "python"))
    with pytest.raises(FileNotFoundError, match="no such Python"):
        train.train("e_ffnn", mnist)


def test_files_of_mnist_that_are_damaged(mnist: Path) -> None:
    training, validation = data.load_training(mnist)
    assert len(training.images) + len(validation.images) == 1000
    file = mnist / "train-images-idx3-ubyte.gz"
    whole = file.read_bytes()
    for content, message in (
        (whole[:-100], "truncated or damaged"),
        (gzip.compress(b"\0\0\x08\1" + bytes(16)), "magic number 0x00000801, expected 0x00000803"),
    ):
        file.write_bytes(content)
        with pytest.raises(InputError, match=message):
            data.load_training(mnist)
    file.unlink()
    with pytest.raises(InputError, match=re.escape(f"{file}: no such file")):
        data.load_training(mnist)


def test_the_pool_is_made_once(mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training, _ = data.load_training(mnist)
    teachers = [find_model(name).path for name in ("t_cnn", "k_cnn")]
    first = pool.open_pool(training, teachers)
    assert first.images.shape == (2, 500, 28, 28)
    assert first.scores is not None and first.scores.shape == (2, 500, 10)
    inputs = as_input(first.images[1])
    answers = [load_model(name).predict_proba(inputs) for name in ("t_cnn", "k_cnn")]
    np.testing.assert_allclose(first.scores[1], np.mean(answers, axis=0), atol=1e-3)
    assert len({copy.tobytes() for copy in first.images}) == 2
    # Made again it is the same; made of other images it is another.
    images = np.array(first.images)
    with monkeypatch.context() as nothing:
        nothing.setattr(pool, "distort", None, raising=False)
        nothing.setattr(pool, "_distorted", None)
        assert np.array_equal(pool.open_pool(training, teachers).images, images)
    other = data.Digits(training.images[::-1].copy(), training.labels[::-1].copy())
    assert not np.array_equal(pool.open_pool(other, []).images, images)
    assert np.array_equal(pool.open_pool(training, []).images, images)


def test_a_teacher_is_trained_where_it_is_missing(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=1)
    monkeypatch.setitem(recipes.RECIPES, "t_teacher", recipe)
    taught = dataclasses.replace(recipe, teachers=("t_teacher",))
    monkeypatch.setitem(recipes.RECIPES, "t_ffnn", taught)
    train.train("t_ffnn", mnist)
    teacher = home / "runs" / "t_teacher"
    assert len(read_log(teacher / "log.csv")) == 1
    before = (teacher / "log.csv").stat().st_mtime_ns
    train.train("t_ffnn", mnist)
    assert (teacher / "log.csv").stat().st_mtime_ns == before


def test_a_full_disk_ends_the_pool_with_an_error(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    training, _ = data.load_training(mnist)
    with monkeypatch.context() as disk:
        disk.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            pool.open_pool(training, [])
    assert pool.open_pool(training, []).images.any()


def test_an_epoch_has_every_image_of_its_copy(mnist: Path, home: Path) -> None:
    training, _ = data.load_training(mnist)
    made = pool.open_pool(training, [])
    recipe = dataclasses.replace(RECIPE, batch_size=50)
    for epoch, copy in ((0, 1), (1, 0), (2, 1)):
        batches = list(made.epoch(epoch, recipe))
        images = np.concatenate([images for images, _ in batches])
        assert sorted(map(bytes, images)) == sorted(map(bytes, as_input(made.images[copy])))
        targets = np.concatenate([targets for _, targets in batches])
        assert np.array_equal(targets.sum(axis=0), np.bincount(training.labels, minlength=10))


def test_distorted_images_stay_digits(digits: Digits) -> None:
    ink = 255 - digits[:1000]
    moved = distort(ink, recipes.Augmentation(), np.random.default_rng(0))
    assert moved.shape == ink.shape and moved.dtype == np.uint8
    assert 0.8 < moved.mean() / ink.mean() < 1.2
    still = distort(ink, recipes.Augmentation(0, 0, 0, 0, 0), np.random.default_rng(0))
    assert np.abs(still.astype(int) - ink).max() <= 1


def test_the_default_model_is_the_most_accurate_on_the_validation_images() -> None:
    table = (Path(data.__file__).parent / "README.md").read_text()
    rows = re.findall(r"^\| ?(.*?) ?\|(.*)\|$", table, re.MULTILINE)
    cells = {head: row.split("|") for head, row in rows}
    names = next(row for row in cells.values() if row[0] == " `t_cnn` ")
    best = max(zip(cells["Validation accuracy"], names, strict=True))[1].strip(" `")
    assert run("predict", SAMPLES / "MNIST-0.png").record["model"] == best
