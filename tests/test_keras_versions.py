"""Models that Keras 2 and Keras 3 have saved in different ways."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnist_cli.loader import load_model
from mnist_cli.self_test import load_digits
from tests.models import KERAS_2_FILES, Weights, files
from tests.running import SAMPLES, run

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras
]

DIGITS = [SAMPLES / f"MNIST-{digit}.png" for digit in range(10)]


@pytest.mark.parametrize("file", KERAS_2_FILES, ids=lambda file: file.name)
def test_files_of_keras_2(file: Path) -> None:
    for _ in ("keras", "cache"):
        result = run("predict", "--preprocess", "plain", "--model", file, *DIGITS)
        assert [record["prediction"] for record in result.records] == list(range(10))
    assert result.stderr == ""


def test_a_recurrent_model_forgets_the_picture_before() -> None:
    [model] = [file for file in KERAS_2_FILES if file.name == "keras_2_lstm.tflite"]
    pictures = DIGITS[:3]
    together = run("predict", "--scores", "--model", model, *pictures).records
    alone = [run("predict", "--scores", "--model", model, picture).record for picture in pictures]
    assert together == alone


def test_the_hard_sigmoid_of_keras_2(tmp_path: Path, weights: Weights) -> None:
    """Its slope is 1/5; in Keras 3 it is 1/6."""
    file = files.keras_2_h5(tmp_path / "mine.h5", weights, activation="hard_sigmoid")
    images = load_digits()[0]
    expected = np.clip(0.2 * (images @ weights.kernel + weights.bias) + 0.5, 0, 1)
    scores = load_model(str(file), input="0..1").predict_proba(images)
    np.testing.assert_allclose(scores, expected / expected.sum(axis=1, keepdims=True), atol=1e-4)


def _export(model: Any, folder: Path) -> Path:
    model.export(folder / "mine", verbose=False)
    return folder / "mine"


def _tf_save(model: Any, folder: Path) -> Path:
    import tensorflow as tf

    tf.saved_model.save(model, str(folder / "mine"))
    return folder / "mine"


def _keras(model: Any, folder: Path) -> Path:
    model.save(folder / "mine.keras")
    return folder / "mine.keras"


def _keras_3_0(model: Any, folder: Path) -> Path:
    """Keras 3.0 writes an argument that later versions do not know."""
    file = _keras(model, folder)
    with zipfile.ZipFile(file) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(contents["config.json"])
    for layer in config["config"]["layers"]:
        if layer["class_name"] == "RandomRotation":
            layer["config"]["value_range"] = [0, 255]
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in (contents | {"config.json": json.dumps(config).encode()}).items():
            archive.writestr(name, content)
    return file


@pytest.mark.parametrize("save", [_keras, _keras_3_0, _export])
def test_layers_that_augment_images_are_off(save: Any, tmp_path: Path, weights: Weights) -> None:
    from keras import layers

    augmentation = [
        layers.RandomFlip("horizontal"),
        layers.RandomRotation(0.1),
        layers.RandomZoom(0.2),
        layers.RandomTranslation(0.2, 0.2),
    ]
    model = save(files.keras_model(weights, *augmentation), tmp_path)
    images = load_digits()[0]
    scores = load_model(str(model)).predict_proba(images)
    np.testing.assert_allclose(scores, weights.probabilities(images), atol=1e-3)


@pytest.mark.parametrize("is_trained", [False, True])
def test_saved_models_of_keras_3(is_trained: bool, tmp_path: Path, weights: Weights) -> None:
    """`tf.saved_model.save` restores other variables than those that the function uses."""
    model = files.keras_model(weights)
    if is_trained:  # without changing it
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.optimizer.learning_rate = 0.0
        model.fit(np.zeros((8, 28, 28, 1)), np.zeros(8), verbose=0)
    loaded = load_model(str(_tf_save(model, tmp_path)))
    images = load_digits()[0]
    np.testing.assert_allclose(
        loaded.predict_proba(images), weights.probabilities(images), atol=1e-4
    )


def test_one_mean_for_all_pixels_in_hdf5(tmp_path: Path, weights: Weights) -> None:
    from keras import layers

    normalization = layers.Normalization(axis=None)
    normalization.adapt(np.array([0, 255], np.float32))
    # Values from -1 to 1, and then from 0 to 1.
    model = files.keras_model(weights, normalization, layers.Rescaling(0.5, offset=0.5))
    model.save(tmp_path / "mine.h5")
    images = load_digits()[0]
    scores = load_model(str(tmp_path / "mine.h5")).predict_proba(images)
    np.testing.assert_allclose(scores, weights.probabilities(images), atol=1e-4)
