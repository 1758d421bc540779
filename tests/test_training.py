"""`training/`: short trainings, the cached data set and the publication of models."""

import dataclasses
import errno
import gzip
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
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
from mnist_cli.loader import load_model
from mnist_cli.picture import Picture
from mnist_cli.preprocessing import prepare
from mnist_cli.preprocessing.classical import crop_clean
from mnist_cli.preprocessing.crops import crop_detection
from mnist_cli.reshape import to_28x28
from tests.running import SAMPLES, run
from tests.test_evaluate import write_idx
from training import augmented_dataset, cache_key, data, fonts, publish, repeat, train
from training.augment import distort
from training.augmented_dataset import AugmentedDataset, open_augmented_dataset
from training.data import as_input
from training.recipes import synthetic as recipes_synthetic
from training.recipes.dataset import DATASET, Augmentation
from training.recipes.models import CALIBRATION, COMPILATION, RECIPES, Recipe
from training.runs import read_log
from training.synthetic import generate
from training.synthetic.printed import _families, draw_printed

pytestmark = pytest.mark.slow

Digits = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

RECIPE = Recipe(epochs=3, batch_size=32, learning_rate=3e-3, keep_prob=1.0, ema_decay=0.9)
SYNTHETIC = 50  # pictures in a set
KERAS = ("k_ffnn", "k_cnn")
TRAINED = ("t_ffnn", "t_cnn", *KERAS)  # the estimators need another TensorFlow


@pytest.fixture
def mnist(tmp_path: Path, digits: Digits, labels: Labels) -> Path:
    """MNIST with 600 training images, 100 of them for validation, and 250 test images."""
    order = np.random.default_rng(0).permutation(len(labels))
    digits, labels = digits[order], labels[order]
    folder = write_idx(tmp_path / "mnist", "train", digits[:600], labels[:600])
    return write_idx(folder, "t10k", digits[1000:1250], labels[1000:1250])


@pytest.fixture
def _fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only the fonts of Matplotlib are installed, in this process and in new ones."""
    if not shutil.which("fc-list"):
        reason = "no fc-list: apt-get install fontconfig"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    import matplotlib

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    config, cache = tmp_path / "fonts.conf", tmp_path / "fontconfig"
    config.write_text(f"""<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">
        <fontconfig><dir>{folder}</dir><cachedir>{cache}</cachedir></fontconfig>""")
    monkeypatch.setenv("FONTCONFIG_FILE", str(config))
    _forget_fonts()
    yield
    _forget_fonts()


def _forget_fonts() -> None:
    fonts.installed_faces.cache_clear()
    _families.cache_clear()


@pytest.fixture
def home(tmp_path: Path, _fonts: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that trainings write to, with small data sets."""
    small = dataclasses.replace(
        DATASET, augmented_copies=3, synthetic_images=SYNTHETIC, synthetic_sets=2
    )
    for module in (augmented_dataset, cache_key):
        monkeypatch.setattr(module, "DATASET", small)
    calibration = dataclasses.replace(CALIBRATION, synthetic_images=SYNTHETIC)
    monkeypatch.setattr(publish, "CALIBRATION", calibration)
    # Networks that are hardly trained are seldom sure, and 8-bit weights change more predictions.
    compilation = dataclasses.replace(COMPILATION, max_changed=10, max_lost=10)
    monkeypatch.setattr(publish, "COMPILATION", compilation)
    monkeypatch.setattr(data, "VALIDATION_IMAGES", 100)
    monkeypatch.setattr(augmented_dataset, "CACHE_DIR", tmp_path / "runs" / "augmented_dataset")
    monkeypatch.setattr(train, "RUNS", tmp_path / "runs")
    for module in (publish, repeat):
        monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
        monkeypatch.setattr(module, "SAVED_MODELS", tmp_path / "saved_models")
    monkeypatch.setattr(publish, "LEARNING_CURVES", tmp_path / "docs")
    for name in TRAINED:
        monkeypatch.setitem(RECIPES, name, RECIPE)
    return tmp_path


class Interrupted(Exception):
    """Interrupts a training."""


def _interrupt(monkeypatch: pytest.MonkeyPatch, in_epoch: int) -> None:
    all_batches = AugmentedDataset.batches

    def batches(self: AugmentedDataset, epoch: int, recipe: Recipe) -> Iterator[Any]:
        for index, batch in enumerate(all_batches(self, epoch, recipe)):
            if (epoch, index) == (in_epoch, 5):
                raise Interrupted
            yield batch

    monkeypatch.setattr(AugmentedDataset, "batches", batches)


# Keras saves its variables with a call that NumPy 2 deprecates.
@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword")
@pytest.mark.parametrize("name", TRAINED)
def test_interrupted_training_resumes(
    name: str, mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as interruption:
        _interrupt(interruption, in_epoch=2)
        with pytest.raises(Interrupted):
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
    trained = {"epochs": 3} if name in KERAS else {"steps": 51, "batch_size": 32}
    assert list(statistics) == ["accuracy", "ece", *trained, "parameters"]
    assert statistics.items() >= trained.items()
    assert statistics["parameters"] > 200_000
    assert 0.3 < statistics["accuracy"] <= 1
    record = run("evaluate", folder, "--data", mnist).record
    assert (record["accuracy"], record["ece"]) == (statistics["accuracy"], statistics["ece"])
    calibration = json.loads((folder / "assets.extra" / "calibration.json").read_text())
    assert 0.5 <= calibration["temperature"] <= 3 and 0 <= calibration["least_digitness"] < 1
    assert (home / "docs" / f"{name}.png").read_bytes().startswith(b"\x89PNG")


@pytest.fixture
def published(mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model that was trained for an epoch."""
    monkeypatch.setitem(RECIPES, "t_ffnn", dataclasses.replace(RECIPE, epochs=1))
    train.train("t_ffnn", mnist)
    publish.publish("t_ffnn", mnist)
    return home / "saved_models" / "t_ffnn"


@pytest.mark.tensorflow
def test_repeated_runs_are_counted_in_the_statistics(
    published: Path, mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published / "statistics.json"
    before = json.loads(file.read_text())
    repeat.repeat("t_ffnn", mnist)
    after = json.loads(file.read_text())
    assert after.items() >= before.items()  # the published model is the same
    tested = []
    for seed in (1999, 2000):
        folder = home / "runs" / f"t_ffnn-{seed}"
        assert f"seed={seed}" in (folder / "recipe.txt").read_text()
        tested.append(json.loads((folder / "test.json").read_text())["accuracy"])
    accuracies = [before["accuracy"], *tested]
    assert len(set(accuracies)) > 1
    assert after["runs"] == 3
    assert after["mean_accuracy"] == pytest.approx(np.mean(accuracies), abs=1e-6)
    assert after["sd_accuracy"] == pytest.approx(np.std(accuracies, ddof=1), abs=1e-6)
    with monkeypatch.context() as tested_before:
        tested_before.setattr(repeat, "evaluate", None)
        repeat.repeat("t_ffnn", mnist)
    assert json.loads(file.read_text()) == after


@pytest.mark.tensorflow
def test_new_recipe_restarts_training(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in (1, 2):
        recipe = dataclasses.replace(RECIPE, epochs=1, seed=seed)
        monkeypatch.setitem(RECIPES, "t_ffnn", recipe)
        train.train("t_ffnn", mnist)
        assert len(read_log(home / "runs" / "t_ffnn" / "log.csv")) == 1
        assert f"seed={seed}" in (home / "runs" / "t_ffnn" / "recipe.txt").read_text()


@pytest.mark.tensorflow
def test_failed_publication_keeps_the_old_model(
    published: Path, mnist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {file: file.read_bytes() for file in published.rglob("*") if file.is_file()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    train.train("t_ffnn", mnist)
    steps = ("compile_model", "calibrate", "evaluate", "plot_learning_curves", "replace_model")
    for step in steps:
        with monkeypatch.context() as disk:
            disk.setattr(publish, step, full)
            with pytest.raises(OSError, match="No space left"):
                publish.publish("t_ffnn", mnist)
        assert {
            file: file.read_bytes() for file in published.rglob("*") if file.is_file()
        } == before
    assert [folder.name for folder in published.parent.iterdir()] == ["t_ffnn"]
    publish.publish("t_ffnn", mnist)  # nothing was lost
    assert load_model(str(published)).runtime.name == "litert"


@pytest.mark.tensorflow
def test_a_published_model_is_compiled_again_without_a_training(
    published: Path, mnist: Path
) -> None:
    files = ("statistics.json", "assets.extra/model.tflite", "assets.extra/calibration.json")
    before = [(published / name).read_bytes() for name in files]
    (published / "assets.extra" / "model.tflite").unlink()
    publish.publish("t_ffnn", mnist)
    assert [(published / name).read_bytes() for name in files] == before


@pytest.mark.tensorflow
@pytest.mark.parametrize("limit", ["max_changed", "max_lost"])
def test_8_bit_weights_that_change_too_much_are_not_published(
    limit: str, mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "t_ffnn", dataclasses.replace(RECIPE, epochs=1))
    train.train("t_ffnn", mnist)
    strict = dataclasses.replace(COMPILATION, **{limit: -100})
    monkeypatch.setattr(publish, "COMPILATION", strict)
    with pytest.raises(ModelError, match="8-bit weights change"):
        publish.publish("t_ffnn", mnist)
    assert not (home / "saved_models" / "t_ffnn").exists()


def test_nothing_to_publish(mnist: Path, home: Path) -> None:
    with pytest.raises(ModelError, match="train t_ffnn first"):
        publish.publish("t_ffnn", mnist)


def test_missing_estimator_environment(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "e_ffnn", RECIPE)
    monkeypatch.setattr(train, "ESTIMATOR_PYTHON", str(home / "none" / "python"))
    with pytest.raises(FileNotFoundError, match="no such Python"):
        train.train("e_ffnn", mnist)


def test_damaged_mnist_files(mnist: Path) -> None:
    training, validation = data.load_training(mnist)
    assert len(training.images) + len(validation.images) == 600
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


def test_augmented_dataset_is_made_once(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, _ = data.load_training(mnist)
    first = open_augmented_dataset(training)
    assert first.images.shape == (3, 500 + SYNTHETIC, 28, 28)
    assert len({copy.tobytes() for copy in first.images}) == 3
    images = np.array(first.images)
    with monkeypatch.context() as cached:
        cached.setattr(augmented_dataset, "_augment", None)
        cached.setattr(generate, "make_images", None)
        again = open_augmented_dataset(training)
    assert np.array_equal(again.images, images) and np.array_equal(again.labels, first.labels)
    other = data.Digits(training.images[::-1].copy(), training.labels[::-1].copy())
    assert not np.array_equal(open_augmented_dataset(other).images, images)
    assert np.array_equal(open_augmented_dataset(training).images, images)


_SYNTHETIC = recipes_synthetic.SYNTHETIC
_PROBS = {**_SYNTHETIC.source_probs, "printed": 0.27, "strokes": 0.13}
_CLUTTER = dataclasses.replace(_SYNTHETIC.clutter, pitch=(1.1, 1.9))
_AUGMENTATION = dataclasses.replace(DATASET.augmentation, shear=0.14)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SYNTHETIC", dataclasses.replace(_SYNTHETIC, source_probs=_PROBS)),
        ("SYNTHETIC", dataclasses.replace(_SYNTHETIC, clutter=_CLUTTER)),
        ("DATASET", dataclasses.replace(DATASET, augmentation=_AUGMENTATION)),
        ("source_digest", lambda *modules: "other code"),
    ],
    ids=["share", "number", "augmentation", "code"],
)
def test_stale_data_set_is_made_anew(
    name: str, value: Any, mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blank = data.Digits(np.zeros((100, 28, 28), np.uint8), np.zeros(100, np.int64))
    monkeypatch.setattr(generate, "make_images", lambda digits, count, seed: blank)
    training, _ = data.load_training(mnist)
    old = open_augmented_dataset(training)
    assert not old.images[:, 500:].any()
    white = data.Digits(blank.images + 255, blank.labels)
    monkeypatch.setattr(generate, "make_images", lambda digits, count, seed: white)
    assert not open_augmented_dataset(training).images[:, 500:].any()
    monkeypatch.setattr(cache_key, name, value)
    new = open_augmented_dataset(training)
    assert new.key != old.key and new.images[:, 500:].any()


@pytest.mark.tensorflow
def test_new_data_restarts_training(
    mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "t_ffnn", dataclasses.replace(RECIPE, epochs=1))
    folder = home / "runs" / "t_ffnn"
    train.train("t_ffnn", mnist)
    before = (folder / "log.csv").read_text()
    train.train("t_ffnn", mnist)  # nothing left to do
    assert (folder / "log.csv").read_text() == before
    monkeypatch.setattr(cache_key, "source_digest", lambda *modules: "other code")
    (folder / "checkpoints" / "old").touch()
    train.train("t_ffnn", mnist)
    assert not (folder / "checkpoints" / "old").exists()
    assert len(read_log(folder / "log.csv")) == 1


def test_source_digest_covers_the_imported_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("mnist_cli", "training"):
        shutil.copytree(cache_key.ROOT / package, tmp_path / package, ignore=_all_but_python)
    before = cache_key.source_digest(*cache_key.CODE)
    functions = (crop_clean, crop_detection, draw_printed, distort, to_28x28)
    sources = (inspect.getsourcefile(function) for function in functions)
    files = [Path(file).relative_to(cache_key.ROOT) for file in sources if file]
    assert len(files) == 5
    monkeypatch.setattr(cache_key, "ROOT", tmp_path)
    assert cache_key.source_digest(*cache_key.CODE) == before
    for file in files:
        text = (tmp_path / file).read_text()
        (tmp_path / file).write_text(f'"""Another docstring."""\n\n# A comment.\n{text}')
        assert cache_key.source_digest(*cache_key.CODE) == before
        (tmp_path / file).write_text(f"{text}\nTHRESHOLD = 0.5\n")
        assert cache_key.source_digest(*cache_key.CODE) != before
        (tmp_path / file).write_text(text)
    file = tmp_path / files[0]
    file.write_text(file.read_text() + "\nfrom . import other\n")
    with pytest.raises(ValueError, match="relative imports"):
        cache_key.source_digest(*cache_key.CODE)
    shutil.copy(Path(cache_key.__file__).parents[1] / files[0], file)
    with pytest.raises(ModuleNotFoundError, match="renamed"):
        cache_key.source_digest("training.renamed")
    # How a model is trained does not change the data set.
    (tmp_path / "training" / "train.py").write_text("")
    (tmp_path / "training" / "recipes" / "models.py").write_text("")
    assert cache_key.source_digest(*cache_key.CODE) == before


def test_key_covers_the_detector(
    mnist: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    training, _ = data.load_training(mnist)
    detector = tmp_path / "model.tflite"
    monkeypatch.setattr(cache_key, "DETECTOR", detector)
    detector.write_bytes(b"one")
    before = cache_key.dataset_key(training)
    assert cache_key.dataset_key(training) == before
    detector.write_bytes(b"two")
    assert cache_key.dataset_key(training) != before


def test_estimators_are_trained_without_pillow_and_opencv() -> None:
    code = """
import sys
sys.modules.update({"PIL": None, "cv2": None})
import training.train, training.augmented_dataset, training.cache_key
print(training.cache_key.source_digest(*training.cache_key.CODE))
"""
    subprocess.run([sys.executable, "-c", code], cwd=cache_key.ROOT, check=True)


def _all_but_python(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if "." in name and not name.endswith(".py")]


def test_synthetic_images_follow_mnist_images(mnist: Path, home: Path) -> None:
    training, _ = data.load_training(mnist)
    made = open_augmented_dataset(training)
    assert made.labels.shape == made.images.shape[:2]
    for labels in made.labels:
        assert np.array_equal(labels[:500], training.labels)
        assert {-1} < set(labels[500:]) <= set(range(-1, 10))
    # Three copies share two sets.
    one, other, third = made.labels[:, 500:]
    assert np.array_equal(one, third) and not np.array_equal(one, other)
    # The same set is distorted differently in each copy.
    ink = made.images[:, 500:].astype(float)
    assert not np.array_equal(ink[0], ink[2])
    assert 0.8 < ink[0].mean() / ink[2].mean() < 1.25


def test_full_disk_is_an_error(mnist: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    training, _ = data.load_training(mnist)
    with monkeypatch.context() as disk:
        disk.setattr(os, "posix_fallocate", full)
        with pytest.raises(OSError, match="No space left"):
            open_augmented_dataset(training)
    assert open_augmented_dataset(training).images.any()


def test_epoch_has_every_image_of_its_copy(mnist: Path, home: Path) -> None:
    training, _ = data.load_training(mnist)
    made = open_augmented_dataset(training)
    recipe = dataclasses.replace(RECIPE, batch_size=50)
    assert made.steps_per_epoch(recipe) == 11 and made.steps_per_epoch(RECIPE) == 17
    for epoch, copy in ((0, 0), (1, 1), (2, 2), (3, 0)):
        batches = list(made.batches(epoch, recipe))
        images = np.concatenate([images for images, _ in batches])
        assert sorted(map(bytes, images)) == sorted(map(bytes, as_input(made.images[copy])))
        targets = np.concatenate([targets for _, targets in batches])
        np.testing.assert_allclose(targets.sum(axis=1), 1, rtol=1e-6)
        labels = made.labels[copy]
        digits = targets[targets.max(axis=1) == 1]
        assert np.array_equal(digits.sum(axis=0), np.bincount(labels[labels >= 0], minlength=10))
        # The target of non-digits is uniform.
        assert len(digits) == (labels >= 0).sum() < len(labels)
        np.testing.assert_array_equal(targets[targets.max(axis=1) < 1], np.float32(0.1))


def test_synthetic_images_are_preprocessed_and_reproducible(mnist: Path, home: Path) -> None:
    training, _ = data.load_training(mnist)
    images, labels = generate.make_images(training, 60, 7)
    assert images.shape == (60, 28, 28) and images.dtype == np.uint8
    assert labels.dtype == np.int64 and {-1} < set(labels) <= set(range(-1, 10))
    for image in images:
        prepared = prepare(Picture.from_pixels(255 - image))
        assert prepared.is_final  # normalized already
        np.testing.assert_array_equal(prepared.candidates[0].image, 255 - image)
    again = generate.make_images(training, 60, 7)
    assert np.array_equal(again.images, images) and np.array_equal(again.labels, labels)
    assert not np.array_equal(generate.make_images(training, 60, 8).images, images)


def test_fonts_are_split_by_family(_fonts: None) -> None:
    found = fonts.installed_faces("training")
    assert {"DejaVu Sans", "DejaVu Serif"} <= {face.family for face in found}
    assert found == sorted(found)
    assert not {face.family for face in found} & {
        face.family for face in fonts.installed_faces("benchmark")
    }
    # All names of a design count as one family.
    assert fonts.family_of("Liberation Sans Narrow") == fonts.family_of("TeX Gyre Heros Cn")
    assert fonts.family_of("Lato Semibold") == fonts.family_of("Lato") == "Lato"
    families = {fonts.family_of(name) for name in _NAMES}
    parts = [fonts.split_of(family) for family in families]
    assert set(parts) == {"training", "benchmark"}
    assert fonts.split_of("Comfortaa Light") is fonts.split_of("Dancing Script") is None


_NAMES = [f"Family {letter}" for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]


def test_synthetic_pictures_need_fonts(mnist: Path, home: Path) -> None:
    (home / "fonts.conf").write_text("<fontconfig></fontconfig>")
    training, _ = data.load_training(mnist)
    with pytest.raises(OSError, match=r"python -m training\.fonts"):
        generate.make_images(training, 50, 0)


def test_distorted_images_keep_their_ink(digits: Digits) -> None:
    ink = 255 - digits[:1000]
    moved = distort(ink, Augmentation(), np.random.default_rng(0))
    assert moved.shape == ink.shape and moved.dtype == np.uint8
    assert 0.8 < moved.mean() / ink.mean() < 1.2
    still = distort(ink, Augmentation(0, 0, 0, 0, 0), np.random.default_rng(0))
    assert np.abs(still.astype(int) - ink).max() <= 1


def test_default_model_is_the_smallest_of_the_best() -> None:
    table = (Path(data.__file__).parent / "README.md").read_text()
    names, validation, parameters = (
        [cell.strip(" `%") for cell in row.split("|")]
        for head in ("Model", "Validation accuracy", "Parameters")
        for row in re.findall(rf"^\| {head}.*?\|(.*)\|$", table, re.MULTILINE)
    )
    accuracy = dict(zip(names, map(float, validation), strict=True))
    sizes = dict(zip(names, (int(size.replace(",", "")) for size in parameters), strict=True))
    best = [name for name in names if accuracy[name] >= max(accuracy.values()) - 0.05]
    assert run("predict", SAMPLES / "MNIST-0.png").record["model"] == min(
        best, key=sizes.__getitem__
    )
